# SPDX-License-Identifier: MIT
# Fibers that note each of their own switches: one JSON object at the end. Of every sort: resumed, transferred to,
# in other threads, Enumerator's, with an error, collected unfinished, and those of a scheduler.
require 'json'
require 'io/wait'
require 'socket'

NOTED = Hash.new { |all, name| all[name] = { 'steps' => [], 'waits' => [], 'ends' => nil } }
def now = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)

# From its first line, or from its return from what switched away, to the next switch.
def step(name)
  at = now
  NOTED[name]['steps'] << [at, at]
end

def leaving(name) = NOTED[name]['steps'].last[1] = now

def switch(name, what)
  NOTED[name]['waits'] << what
  leaving(name)
  result = yield
  step(name)
  result
end

def over(name, how = 'result')
  NOTED[name]['ends'] = how
  leaving(name)
end

def plain(name, n)
  Fiber.new do
    step(name)
    n.times { switch(name, 'other') { Fiber.yield } }
    over(name)
  end
end

fibers = (0...10).map { |i| plain("plain#{i}", 20 + i) }
fibers.each { |f| f.resume while f.alive? }

threads = (0...3).map do |t|
  Thread.new do
    mine = (0...4).map { |i| plain("thread#{t}.#{i}", 15) }
    15.times { mine.each(&:resume) }
    mine.each(&:resume)
  end
end
threads.each(&:join)

inner = plain('inner', 30)
outer = Fiber.new do
  step('outer')
  31.times { switch('outer', 'other') { inner.resume } }
  over('outer')
end
outer.resume

one = two = nil
main = Fiber.current
one = Fiber.new { step('one'); 10.times { switch('one', 'other') { two.transfer } }; switch('one', 'other') { main.transfer } }
two = Fiber.new { step('two'); loop { switch('two', 'other') { one.transfer } } }
one.transfer

raising = Fiber.new { step('raising'); over('raising'); raise 'on purpose' }
begin
  raising.resume
rescue RuntimeError => e
  NOTED['raising']['said'] = e.message
end

each = [1, 2, 3].each
3.times { each.next }

3000.times { Fiber.new { Fiber.yield }.resume } # collected, and their places in memory used again
GC.start
GC.compact if GC.respond_to?(:compact)
after = (0...50).map { |i| plain("after#{i}", 2) }
3.times { after.each(&:resume) }

# The smallest scheduler that Ruby takes.
class Small
  def initialize
    @timers, @readers, @ready, @blocked = {}, {}, [], 0
  end

  def fiber(&block)
    f = Fiber.new(blocking: false, &block)
    f.resume
    f
  end

  def kernel_sleep(duration = nil)
    block(:sleep, duration)
  end

  def io_wait(io, events, timeout)
    @readers[io] = Fiber.current
    Fiber.yield
    events
  end

  def block(_blocker, timeout = nil)
    @timers[Fiber.current] = now + (timeout * 1e9).to_i if timeout
    @blocked += 1 unless timeout
    Fiber.yield
    true
  end

  def unblock(_blocker, fiber)
    @blocked -= 1
    @ready << fiber
  end

  def fiber_interrupt(fiber, error) = fiber.raise(error)

  def close
    until @timers.empty? && @readers.empty? && @ready.empty?
      @ready.shift(@ready.size).each(&:resume)
      readable, = @readers.empty? ? [[]] : IO.select(@readers.keys, nil, nil, 0)
      (readable || []).each { |io| @readers.delete(io).resume }
      @timers.select { |_, at| at <= now }.each_key { |f| @timers.delete(f); f.resume }
      IO.select(nil, nil, nil, 0.001)
    end
  end
end

Thread.new do
  Fiber.set_scheduler(Small.new)
  a, b = UNIXSocket.pair
  queue = Queue.new
  Fiber.schedule do
    step('sleeper')
    5.times { switch('sleeper', 'sleep') { sleep 0.005 } }
    over('sleeper')
  end
  Fiber.schedule do
    step('reader')
    3.times { switch('reader', 'poll') { a.wait_readable }; a.read_nonblock(1) }
    over('reader')
  end
  Fiber.schedule do
    step('writer')
    3.times { b.write_nonblock('x'); switch('writer', 'sleep') { sleep 0.003 } }
    queue << 1
    over('writer')
  end
  Fiber.schedule do
    step('blocked')
    switch('blocked', 'other:block') { queue.pop }
    over('blocked')
  end
end.join

puts JSON.generate('fibers' => NOTED, 'options' => ENV['RUBYOPT'], 'error' => $!.inspect)
