// SPDX-License-Identifier: MIT
// Timers and requests whose every callback is noted: one JSON object at the end.
'use strict';
const http = require('http');

const noted = { timers: {}, requests: 0, options: process.env.NODE_OPTIONS || null, argv: process.execArgv };
const now = () => Number(process.hrtime.bigint());
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function timer(n) {
  const name = `timer${n}`;
  const callback = { [name]() {
    const from = now();
    while (now() < from + 1e6);
    noted.timers[name] = [[from, now()]];
    if (n % 2) rest(name); // goes on after an await: still this timer's
  } }[name];
  setTimeout(callback, 20 + 5 * n);
}

async function rest(name) {
  await sleep(10);
  const from = now();
  while (now() < from + 1e6);
  noted.timers[name].push([from, now()]);
}

for (let n = 0; n < 10; n++) timer(n);
const server = http.createServer(async (request, response) => {
  noted.requests++;
  await sleep(20);
  response.end('x');
});
server.listen(0, () => {
  let left = 30;
  for (let i = 0; i < 30; i++) {
    http.get({ port: server.address().port, agent: false }, (response) => {
      response.resume();
      response.on('end', () => {
        if (!--left) server.close();
      });
    });
  }
});
process.on('exit', () => console.log(JSON.stringify(noted)));
