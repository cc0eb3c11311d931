# SPDX-License-Identifier: MIT
"""Functions of the standard library with a few statements more: compiled anew from their own source,
so that no frame is added and tracebacks show the lines and columns that they always showed."""
import ast
import inspect


def graft(function, head, wrap, names):
    """Compile @function anew with the statements @head in front; @wrap(body) changes its statements.
    @names are what the new statements refer to. Lines and columns stay those of the source."""
    code = function.__code__
    lines, first = inspect.getsourcelines(function)
    indented = lines[0][0].isspace()
    tree = ast.parse("if 1:\n" * indented + "".join(lines))
    ast.increment_lineno(tree, first - 1 - indented)
    definition = tree.body[0].body[0] if indented else tree.body[0]
    definition.decorator_list = []
    anchor = next(node for node in definition.body if not isinstance(getattr(node, "value", None), ast.Constant))
    definition.body = statements(head, anchor) + wrap(definition.body)
    outer = ast.parse("def corun_graft(%s):\n    return %s" % (", ".join(names), definition.name))
    outer.body[0].body.insert(0, definition)
    scope = {}
    exec(compile(outer, code.co_filename, "exec"), function.__globals__, scope)
    new = scope["corun_graft"](**names)
    if hasattr(code, "co_qualname"):
        new.__code__ = new.__code__.replace(co_qualname=code.co_qualname)
    for name in ("__qualname__", "__module__", "__doc__", "__defaults__", "__kwdefaults__"):
        setattr(new, name, getattr(function, name))
    new.__annotations__ = dict(function.__annotations__)
    return new


def at_line(tree, anchor):
    for node in ast.walk(tree):
        if "lineno" in node._attributes:
            ast.copy_location(node, anchor)
    return tree


def statements(text, anchor):
    """@text as statements that stand in the line of @anchor."""
    return [at_line(node, anchor) for node in ast.parse(text).body]


def put_around(tree, name, callee):
    """Every call f(x, ...) in @tree for which @callee(f) holds becomes name_ed(f(name_ing(x), ...)):
    the time before and after, without a frame between."""
    class Calls(ast.NodeTransformer):
        def visit_Call(self, node):
            self.generic_visit(node)
            if not callee(node.func):
                return node
            if node.args:
                first = at_line(ast.parse("corun_%sing(x)" % name, mode="eval").body, node)
                first.args[0] = node.args[0]
                node.args[0] = first
            outer = at_line(ast.parse("corun_%sed(x)" % name, mode="eval").body, node)
            outer.args[0] = node
            return outer

    return Calls().visit(tree)


def method_of(owner, name):
    """callee for put_around(): owner.name(...), or any_object.name(...) if @owner is None."""
    def holds(func):
        return (isinstance(func, ast.Attribute) and func.attr == name and
                (owner is None or isinstance(func.value, ast.Name) and func.value.id == owner))
    return holds


def insert(body, before, text, after=False):
    """Put statements @text before (@after: after) every statement for which @before(statement) holds, in
    @body and in all bodies within. Returns how often."""
    count = 0
    for node in list(body):
        for field in ("body", "orelse", "finalbody"):
            count += insert(getattr(node, field, []), before, text, after)
        for handler in getattr(node, "handlers", []):
            count += insert(handler.body, before, text, after)
        if before(node):
            at = body.index(node) + after
            body[at:at] = statements(text, node)
            count += 1
    return count
