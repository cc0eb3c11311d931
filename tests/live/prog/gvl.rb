# SPDX-License-Identifier: MIT
# Threads that compute, and one that sleeps on its own; each logs by itself when it ran Ruby code, for
# which it must have held the GVL. Prints "stamp tid" lines.
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
last = nil
merged = logs.flat_map { |tid, own| own.map { |ns| [ns, tid] } }.sort
merged.each_with_index do |(ns, tid), i|
  puts "#{ns} #{tid}" if tid != last || i + 1 == merged.size || merged[i + 1][1] != tid
  last = tid
end
