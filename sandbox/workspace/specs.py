"""The kernels that may be started: one, whatever else is installed on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel

from sandbox.kernels import Policy
from sandbox.kernels.provisioner import NAME, kernel_spec_argv

OURS = "python3"  # the name that notebooks from everywhere ask for
LOGOS = Path(__file__).resolve().parent / "kernel"


def kernel_spec(policy: Policy | None = None, log_file: Path | None = None) -> KernelSpec:
    """Give our kernel, to be started under a policy."""
    config: dict[str, Any] = {"log_file": "" if log_file is None else str(log_file)}
    if policy is not None:
        config["policy"] = policy
    return KernelSpec(
        argv=kernel_spec_argv(),
        name=OURS,
        display_name="Python 3 (sandbox)",
        language="python",
        interrupt_mode="message",
        resource_dir=str(LOGOS),
        metadata={"kernel_provisioner": {"provisioner_name": NAME, "config": config}},
    )


class OnlyOurs(KernelSpecManager):
    """Knows our kernel. A list of allowed names would only hide the others from the menus."""

    def find_kernel_specs(self) -> dict[str, str]:
        """Name our kernel."""
        return {OURS: str(LOGOS)}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Give our kernel; any other name is refused."""
        if kernel_name != OURS:
            raise NoSuchKernel(kernel_name)
        return kernel_spec()

    def get_all_specs(self) -> dict[str, Any]:
        """Describe our kernel for the menus."""
        spec = kernel_spec().to_dict()
        spec["metadata"] = {}  # how it is started concerns nobody else
        return {OURS: {"resource_dir": str(LOGOS), "spec": spec}}

    def install_kernel_spec(self, *given: Any, **options: Any) -> str:
        """Refuse: no kernel is added here."""
        raise PermissionError("no kernel can be added to this workspace")

    def remove_kernel_spec(self, name: str) -> str:
        """Refuse: our kernel stays."""
        raise PermissionError("no kernel can be removed from this workspace")
