# SPDX-License-Identifier: MIT
# A CPython that runs already runs this (record/attach_python.h); above it stands `corun_folder = ...`. Nothing of
# it stays in the program.
def _corun(folder):
    try:
        scope = {"__name__": "corun_hook", "__file__": folder + "/python/corun_hook.py"}
        with open(scope["__file__"]) as source:
            exec(compile(source.read(), scope["__file__"], "exec"), scope)
        scope["attach"](folder + "/python", folder)
    except Exception:  # never the program's problem
        pass


_corun(corun_folder)  # noqa: F821
