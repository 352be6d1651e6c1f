"""How a synthetic table stands beside the records that it was made from.

Whatever is computed here from records is a statistic of them: for their custodian alone.
"""
