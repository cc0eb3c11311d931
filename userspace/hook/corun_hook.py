# SPDX-License-Identifier: MIT
"""The Python hook of `corun record`: sees asyncio and its like as they are imported.

Loaded by sitecustomize.py of this folder. Nothing is imported that the program might not have: only
when it imports a module of `watched` is the hook of that module loaded and let at it.
"""
import os
import sys

# module -> (file of the hook, function called with the module once it is loaded)
watched = {
    "asyncio.base_events": ("corun_asyncio.py", "install"),
    "concurrent.futures.thread": ("corun_jobs.py", "install_thread"),
    "concurrent.futures.process": ("corun_jobs.py", "install_process"),
    "multiprocessing.pool": ("corun_jobs.py", "install_pool"),
    "multiprocessing.connection": ("corun_jobs.py", "install_connection"),
    "multiprocessing.queues": ("corun_jobs.py", "install_queues"),
    "trio._core._run": ("corun_others.py", "install_trio"),
    "uvloop": ("corun_others.py", "say_uvloop"),
    "curio": ("corun_others.py", "say_curio"),
}
scopes = {}


def load(name):
    """The globals of a file of this folder, run once and kept out of sys.modules."""
    if name not in scopes:
        path = os.path.join(folder, name)
        scope = {"__name__": "corun_hook." + name[:-3], "__file__": path, "load": load}
        with open(path) as source:
            exec(compile(source.read(), path, "exec"), scope)
        scopes[name] = scope
    return scopes[name]


def loaded(name, module):
    file, function = watched.pop(name)
    try:
        load(file)[function](module)
    except Exception as error:  # the program goes on as if nobody looked
        try:
            load("corun_marks.py")["note"]("the Python hook does not fit this Python (%s: %s): %s is not "
                                           "seen" % (type(error).__name__, error, name))
        except Exception:
            pass


# It stands in importlib's file by name, so that tracebacks leave it out as they do importlib.
WATCH = '''
def _load_unlocked(spec):
    module = load(spec)
    if spec.name in watched:
        loaded(spec.name, module)
    return module
'''


def install(where):
    global folder
    folder = where
    bootstrap = sys.modules["_frozen_importlib"]
    scope = {"load": bootstrap._load_unlocked, "watched": watched, "loaded": loaded}
    exec(compile(WATCH, bootstrap._load_unlocked.__code__.co_filename, "exec"), scope)
    bootstrap._load_unlocked = scope["_load_unlocked"]
    for name in list(watched):
        if name in sys.modules:
            loaded(name, sys.modules[name])


def attach(where, marks):
    """Into a program that runs already: asyncio alone, which can be left again without a trace."""
    global folder
    folder = where
    load("corun_marks.py")["_attached"] = marks
    if "asyncio.base_events" in sys.modules:
        loaded("asyncio.base_events", sys.modules["asyncio.base_events"])
        load("corun_asyncio.py")["attached"]()
