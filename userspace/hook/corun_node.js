// SPDX-License-Identifier: MIT
// The Node hook of `corun record --tasks=node`: async resources as tasks, by async_hooks. Loaded in front of the
// program by NODE_OPTIONS, which is put back at once; Node loads it into every worker thread by itself, and
// child processes get the variable again.
//
// A task is the script itself, a timer, a request, whatever has an async id of its own; promises and ticks are
// none, but steps of the task in whose context they were made: an async function is a part of what called it.
'use strict';

(() => {
  const own = `--require ${__filename}`;
  const options = process.env.NODE_OPTIONS || '';
  if (options === own) delete process.env.NODE_OPTIONS;
  else if (options.includes(own)) process.env.NODE_OPTIONS = options.replace(`${own} `, '');
  delete require.cache[__filename];
  const { existsSync } = require('fs');
  const addon = `${__dirname}/corun_node.node`; // not there when the recorder is gone
  if (!process.env.CORUN_MARKS || !existsSync(addon)) return;

  const module_ = { exports: {} };
  process.dlopen(module_, addon);
  const { begin, step, wait, end } = module_.exports;
  const hooks = require('async_hooks');
  const { threadId } = require('worker_threads');

  const PARTS = new Set(['PROMISE', 'TickObject', 'Microtask']);
  const ONCE = /REQ|CONNECTWRAP|^Immediate$|^RANDOMBYTES|^SCRYPT|^PBKDF2|^SIGNREQUEST/;
  const kindOf = (type) =>
    type === 'Timeout' ? 'sleep:Timeout'
      : /^FS|^DIRHANDLE|^FILEHANDLE/.test(type) ? `disk:${type}`
        : /SERVERWRAP$/.test(type) ? `poll:${type}`
          : /^HTTP|^TCP|^UDP|^TLS|^PIPE|^GETADDRINFO|^GETNAMEINFO|^QUERY|^STREAM/.test(type) ? `network:${type}`
            : type === 'PROCESSWRAP' ? 'child:PROCESSWRAP'
              : `condition:${type}`;

  const tasks = new Map(); // async id -> the task that it is, or is a part of
  const parts = new Set(); // async ids of promises and ticks that are not done
  const stack = [];        // tasks in a step, the innermost last

  const script = process.argv[1] ? process.argv[1].split('/').pop() : 'node';
  const main = { number: begin(0, 0, 'node', threadId ? `worker ${threadId}` : script),
    id: 1, parts: 0, over: false, once: false, what: 'poll:events' };
  tasks.set(1, main);
  tasks.set(0, main);

  const owner = (id) => tasks.get(id) || main;
  const finish = (task) => {
    if (task.over && !task.parts && task.number && !stack.includes(task)) {
      end(task.number);
      task.number = 0;
    }
  };
  const partDone = (id) => {
    if (!parts.delete(id)) return;
    const task = tasks.get(id);
    task.parts--;
    finish(task);
  };

  // A child is hooked too, by the handle that is about to start it, once: nothing that the program can look at is
  // another. A Node that cannot read the hook does not start: another user's gets none.
  const user = process.geteuid();
  const mark = `CORUN_MARKS=${process.env.CORUN_MARKS}`;
  const withHook = (pairs) => {
    const at = pairs.findIndex((pair) => pair.startsWith('NODE_OPTIONS='));
    return at < 0 ? [...pairs, `NODE_OPTIONS=${own}`]
      : pairs.map((pair, i) => (i === at ? `NODE_OPTIONS=${own} ${pair.slice(13)}`.trim() : pair));
  };
  const carry = (handle) => Object.defineProperty(handle, 'spawn', {
    configurable: true,
    value(start) {
      delete this.spawn;
      const hooked = start.envPairs && start.envPairs.includes(mark) &&
        start.uid === undefined && start.gid === undefined && process.geteuid() === user && existsSync(addon);
      return this.spawn(hooked ? { ...start, envPairs: withHook(start.envPairs) } : start);
    },
  });

  hooks.createHook({
    init(id, type, trigger, resource) {
      const by = owner(hooks.executionAsyncId());
      if (type === 'PROCESSWRAP') carry(resource);
      if (PARTS.has(type)) {
        tasks.set(id, by);
        parts.add(id);
        by.parts++;
        return;
      }
      const name = type === 'Timeout' && resource._onTimeout && resource._onTimeout.name;
      const task = { number: begin(by.number, 0, 'node', name ? `${type} ${id} (${name})` : `${type} ${id}`),
        id, parts: 0, over: false, once: ONCE.test(type), what: kindOf(type) };
      tasks.set(id, task);
      wait(task.number, 0, task.what);
    },
    before(id) {
      const task = owner(id);
      stack.push(task);
      if (task.number) step(task.number);
    },
    after(id) {
      const task = stack.pop();
      if (!task) return;
      if (task.once && !parts.has(id)) task.over = true;
      partDone(id);
      if (task.number && !stack.includes(task)) wait(task.number, 0, task.parts ? 'condition:promise' : task.what);
      finish(task);
    },
    promiseResolve(id) {
      partDone(id);
    },
    destroy(id) {
      partDone(id);
      const task = tasks.get(id);
      tasks.delete(id);
      if (task && task.id === id) {
        task.over = true;
        finish(task);
      }
    },
  }).enable();

  step(main.number);
  stack.push(main);
  process.nextTick(() => {
    // The script has been run from its first line to its last.
    const at = stack.indexOf(main);
    if (at >= 0) stack.splice(at, 1);
  });
})();
