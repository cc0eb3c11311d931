// SPDX-License-Identifier: MIT
// One Node in every way that it starts another, and worker threads: each has a timer of its role's name and prints
// a line of JSON with when that ran.
'use strict';
const { execFile, fork, spawn } = require('child_process');
const cluster = require('cluster');
const { Worker, isMainThread, workerData } = require('worker_threads');

const role = isMainThread ? process.argv[2] || (cluster.isWorker ? 'clustered' : 'parent') : workerData;
const now = () => Number(process.hrtime.bigint());
const options = process.env.NODE_OPTIONS || null;

setTimeout({ [role]() {
  const from = now();
  while (now() < from + 2e6);
  console.log(JSON.stringify({ role, pid: process.pid, from, until: now(), options, argv: process.execArgv }));
  if (role === 'clustered') process.disconnect();
} }[role], 30);

if (role === 'parent') {
  const stdio = 'inherit';
  fork(__filename, ['forked']);
  spawn(process.execPath, [__filename, 'spawned'], { stdio });
  spawn('sh', ['-c', '"$0" "$1" shell; :', process.execPath, __filename], { stdio });
  spawn(process.execPath, [__filename, 'bare'], { stdio, env: {} });
  spawn(process.execPath, [__filename, 'optioned'], { stdio, env: { ...process.env, NODE_OPTIONS: '--no-warnings' } });
  spawn('/no/such/program').on('error', (error) => console.log(JSON.stringify({ role: 'none', stack: error.stack })));
  execFile(process.execPath, ['-p', 'process.env.NODE_OPTIONS'], (_, out) => console.log(JSON.stringify({ role: 'execFile', out })));
  new Worker(__filename, { workerData: 'worker' });
  new Worker(__filename, { workerData: 'second' });
  cluster.fork();
}
