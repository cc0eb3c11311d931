# SPDX-License-Identifier: MIT
"""asyncio's own methods with a few statements more, compiled anew (corun_graft.py); corun_asyncio.py says
which and why. What the statements refer to are its functions and data, by names that begin with corun_."""
import ast

tools = load("corun_graft.py")  # noqa: F821  (given by corun_hook.py)
graft, statements, at_line = tools["graft"], tools["statements"], tools["at_line"]

RUN_HEAD_C = '''
corun_task = corun_getattr(self._callback, "__self__", None)
corun_known = corun_begin(corun_task)
if corun_known:
    corun_first(corun_task)
'''
RUN_TAIL_C = '''
if corun_known is not None and corun_end(corun_task):
    corun_step_end(corun_task)
corun_task = None
'''
DUE_HEAD = "corun_due(self._when)\n"
DUE_TAIL = "corun_due(0.0)\n"
SOON_HEAD_C = '''
corun_task = corun_getattr(callback, "__self__", None)
if corun_task is not None:
    if corun_soon(corun_task):
        corun_register(corun_task)
    corun_task = None
'''
RUN_HEAD = '''
corun_task = corun_getattr(self._callback, "__self__", None)
corun_rec = corun_live.get(corun_id(corun_task))
if corun_rec is not None:
    corun_ready = corun_rec[1]
    corun_cell, corun_word = corun_rec[2]
    corun_holder[0] = corun_task
    corun_holder[1] = corun_rec
    corun_rec[1] = 0
    corun_cell[0] = corun_rec[0]
    corun_cell[1] = corun_begin = corun_now()
    if corun_begin > corun_busy[1] + 50000:
        corun_busy[0] = corun_begin
'''
RUN_TAIL = '''
if corun_rec is not None:
    corun_holder[0] = corun_holder[1] = None
    corun_busy[1] = corun_now()
    if corun_rec[1]:
        corun_index = corun_next(corun_indexes)
        corun_pack(corun_map, ((corun_index & corun_mask) << 6) + corun_at, corun_begin, corun_rec[0], 0,
                   corun_word, 0, corun_busy[1], corun_ready, corun_index + 1)
    else:
        corun_step_end(corun_task, corun_rec, corun_begin, corun_ready)
    corun_task = None
'''
SOON_HEAD = '''
corun_task = corun_getattr(callback, "__self__", None)
if corun_task is not None:
    if corun_task is corun_holder[0]:
        corun_holder[1][1] = 1
    else:
        corun_rec = corun_live.get(corun_id(corun_task))
        if corun_rec is not None:
            corun_rec[1] = corun_ready_at()
        elif corun_isinstance(corun_task, corun_types):
            corun_register(corun_task)
    corun_task = None
'''


def wrap_run(tail):
    def wrap(body):
        step = next(node for node in body if isinstance(node, ast.Try))
        step.finalbody = statements(tail, step.body[0]) + step.finalbody
        return body
    return wrap


def wrap_create(body):
    """Every `return x` becomes `return corun_created(x)`, and what was before is put back at last."""
    class Returns(ast.NodeTransformer):
        def visit_Return(self, node):
            call = at_line(ast.parse("corun_created(x, coro)", mode="eval").body, node)
            call.args[0] = node.value
            node.value = call
            return node

    guard = statements("try:\n    pass\nfinally:\n    corun_uncreate(corun_outer)", body[0])[0]
    guard.body = [Returns().visit(node) for node in body]
    return [guard]


def around_future(body):
    """`return future` becomes `return corun_wrap(future, future)`: what was made, and of what."""
    call = at_line(ast.parse("corun_wrap(x, future)", mode="eval").body, body[-1])
    call.args[0] = body[-1].value
    body[-1].value = call
    return body


def compile_steps(handle, loop, names, extension):
    """_run() of Handle and of TimerHandle, and _call_soon(): by the extension module, or all in Python."""
    head, tail, soon = (RUN_HEAD_C, RUN_TAIL_C, SOON_HEAD_C) if extension else (RUN_HEAD, RUN_TAIL, SOON_HEAD)
    return (graft(handle._run, head, wrap_run(tail), names),
            graft(handle._run, DUE_HEAD + head, wrap_run(tail + DUE_TAIL), names),
            graft(loop._call_soon, soon, list, names))


def compile_rest(loop, futures, names):
    """create_task() and wrap_future()."""
    return (graft(loop.create_task, "corun_outer = corun_create()", wrap_create, names),
            graft(futures.wrap_future, "", around_future, names))


def compile_forever(loop, names):
    return graft(loop.run_forever, "corun_enter(self)", list, names)
