"""What a process that we start inherits: named variables only, so no secret by accident."""

from __future__ import annotations

from collections.abc import Mapping

NAMES = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "TEMP",
        "TMP",
        "PYTHONPATH",
        "PYTHONHASHSEED",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "CONDA_DEFAULT_ENV",
        "LD_LIBRARY_PATH",
        "LD_PRELOAD",
        "MPLBACKEND",
        "MPLCONFIGDIR",
        "JUPYTER_PATH",
        "JUPYTER_NO_CONFIG",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "SYSTEMROOT",
    }
)
PREFIXES = (
    "LC_",
    "CUDA",
    "NVIDIA_",
    "OMP_",
    "MKL_",
    "OPENBLAS_",
    "NUMEXPR_",
    "BLOSC_",
    "XDG_CACHE",
)


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that carry settings of the machine and never a secret of ours."""
    return {
        name: value for name, value in environ.items() if name in NAMES or name.startswith(PREFIXES)
    }
