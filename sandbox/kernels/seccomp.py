"""A filter of system calls: what no notebook needs and what would reach past its namespaces.

Namespaces leave some doors that have none: sockets of a virtual machine to its host (AF_VSOCK),
the keyrings, memory that belongs to no process and so escapes the watch over memory. The filter
is a short program in the kernel's own language (classic BPF), given to bubblewrap.
"""

from __future__ import annotations

import errno
import platform
import struct

KILL, ALLOW, REFUSE = 0x80000000, 0x7FFF0000, 0x00050000  # SECCOMP_RET_*
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06  # BPF_LD|W|ABS, JEQ, JGE, RET
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
X32 = 0x40000000  # a second numbering of the calls on x86-64, which would slip through

FAMILIES = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK
SOCKET = "socket"

# Numbers from the kernel's tables: arch/x86/entry/syscalls/syscall_64.tbl, and
# include/uapi/asm-generic/unistd.h for aarch64.
CALLS: dict[str, dict[str, int]] = {
    "x86_64": {
        SOCKET: 41,
        # Memory outside any process.
        **{"memfd_create": 319, "memfd_secret": 447, "shmget": 29, "msgget": 68, "semget": 64},
        "mq_open": 240,
        # Keyrings, which have no namespace of their own.
        **{"add_key": 248, "request_key": 249, "keyctl": 250},
        # Ways around this filter, and large parts of the kernel that nothing here needs.
        **{"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427},
        **{"bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "syslog": 103},
        # Other processes.
        **{"ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312},
        # File systems and namespaces.
        **{"mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "move_mount": 429},
        **{"open_tree": 428, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433},
        **{"mount_setattr": 442, "unshare": 272, "setns": 308, "quotactl": 179},
        **{"name_to_handle_at": 303, "open_by_handle_at": 304},
        # The machine.
        **{"kexec_load": 246, "kexec_file_load": 320, "init_module": 175, "finit_module": 313},
        **{"delete_module": 176, "reboot": 169, "swapon": 167, "swapoff": 168, "acct": 163},
    },
    "aarch64": {
        SOCKET: 198,
        **{"memfd_create": 279, "memfd_secret": 447, "shmget": 194, "msgget": 186, "semget": 190},
        "mq_open": 180,
        **{"add_key": 217, "request_key": 218, "keyctl": 219},
        **{"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427},
        **{"bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "syslog": 116},
        **{"ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272},
        **{"mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "move_mount": 429},
        **{"open_tree": 428, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433},
        **{"mount_setattr": 442, "unshare": 97, "setns": 268, "quotactl": 60},
        **{"name_to_handle_at": 264, "open_by_handle_at": 265},
        **{"kexec_load": 104, "kexec_file_load": 294, "init_module": 105, "finit_module": 273},
        **{"delete_module": 106, "reboot": 142, "swapon": 224, "swapoff": 225, "acct": 89},
    },
}
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# Libraries try these and have another way; for the others a refusal is the right word.
ABSENT = {"memfd_create", "memfd_secret"}


def program(machine: str | None = None) -> bytes | None:
    """Give the filter for this kind of processor, or None where we have no table of its calls."""
    machine = machine or platform.machine()
    if machine not in CALLS:
        return None
    calls = CALLS[machine]
    steps = [
        step(LOAD, ARCHITECTURE),
        step(EQUAL, AUDIT[machine], yes=1),
        step(RETURN, KILL),
        step(LOAD, NUMBER),
    ]
    if machine == "x86_64":
        steps += [step(AT_LEAST, X32, no=1), step(RETURN, REFUSE | errno.ENOSYS)]
    for name, number in calls.items():
        if name != SOCKET:
            answer = errno.ENOSYS if name in ABSENT else errno.EPERM
            steps += [step(EQUAL, number, no=1), step(RETURN, REFUSE | answer)]
    steps += [step(EQUAL, calls[SOCKET], yes=1), step(RETURN, ALLOW), step(LOAD, FIRST_ARGUMENT)]
    for family in FAMILIES:
        steps += [step(EQUAL, family, no=1), step(RETURN, ALLOW)]
    return b"".join([*steps, step(RETURN, REFUSE | errno.EAFNOSUPPORT)])


def step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """Write one instruction; `yes` and `no` are the steps to jump over."""
    return struct.pack("=HBBI", code, yes, no, value)
