# SPDX-License-Identifier: MIT
# Python imports this at its start because `corun record` put the folder in front of PYTHONPATH. It
# lets the hook in, leaves no trace of itself, and runs the sitecustomize that the user may have.
# Any Python from 2.6 on must be able to read this file.
import os
import sys


def _corun():
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != folder]
    if sys.version_info < (3,):
        return
    # What the program sees is as it was; the C library's environment, which children inherit, keeps
    # the folder, so that they are seen too.
    before = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    after = os.pathsep.join(path for path in before if path != folder)
    key = os.environ.encodekey("PYTHONPATH")
    if after:
        os.environ._data[key] = os.environ.encodevalue(after)
    else:
        os.environ._data.pop(key, None)
    if sys.version_info < (3, 8) or sys.implementation.name != "cpython":
        return
    scope = {"__name__": "corun_hook", "__file__": os.path.join(folder, "corun_hook.py")}
    with open(scope["__file__"]) as source:
        exec(compile(source.read(), scope["__file__"], "exec"), scope)
    scope["install"](folder)


try:
    if os.environ.get("CORUN_MARKS"):
        _corun()
except Exception:  # never the program's problem
    pass
sys.modules.pop("sitecustomize", None)
import sitecustomize  # noqa: E402,F401  (the user's own; if there is none, site expects this ImportError)
