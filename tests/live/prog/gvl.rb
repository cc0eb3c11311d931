# SPDX-License-Identifier: MIT
# Threads that compute, and one that sleeps on its own; each logs by itself when it ran Ruby code, for
# which it must have held the GVL. Prints lines of "begin end tid": stamps of one thread, none of another between
# them, less than 1 ms apart, so that it cannot have lost the GVL meanwhile and got it back.
limit = Process.clock_gettime(Process::CLOCK_MONOTONIC) + (ARGV[0] || "1.5").to_f
logs = []
threads = 4.times.map do |i|
  Thread.new do
    Thread.current.name = "worker-#{i}"
    own = []
    logs << [Thread.current.native_thread_id, own]
    while Process.clock_gettime(Process::CLOCK_MONOTONIC) < limit
      own << Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
      60.times { }
    end
  end
end
sleeper = Thread.new { Thread.current.name = "sleeper"; Thread.stop }
threads.each(&:join)
sleeper.wakeup
sleeper.join
spans = []
logs.flat_map { |tid, own| own.map { |ns| [ns, tid] } }.sort.each do |ns, tid|
  if spans.any? && spans.last[2] == tid && ns - spans.last[1] < 1_000_000
    spans.last[1] = ns
  else
    spans << [ns, ns, tid]
  end
end
spans.each { |span| puts span.join(" ") }
