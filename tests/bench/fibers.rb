# SPDX-License-Identifier: MIT
# What a switch of fibers costs, ns of CPU.
N = 20_000
def now = Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID, :nanosecond)
f = Fiber.new { loop { Fiber.yield } }
best = (0...5).map do
  begun = now
  N.times { f.resume }
  (now - begun).fdiv(2 * N)
end.min
puts best
