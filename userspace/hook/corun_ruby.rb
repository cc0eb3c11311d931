# SPDX-License-Identifier: MIT
# The Ruby hook of `corun record --tasks=ruby`: fibers as tasks, by ruby_marks.c. Loaded in front of the program by
# RUBYOPT, which is put back at once: as for Node, Rubies that the program starts are left alone.
options = ENV['RUBYOPT'].to_s.sub("-r#{__FILE__}", '').strip
ENV['RUBYOPT'] = options.empty? ? nil : options
if RUBY_ENGINE == 'ruby' && ENV['CORUN_MARKS'] && File.exist?("#{__dir__}/corun_fibers.so") # else the recorder is gone
  begin
    require "#{__dir__}/corun_fibers.so"
    $LOADED_FEATURES.delete("#{__dir__}/corun_fibers.so")
  rescue LoadError
    # Another C library than it was built for, or a folder that nothing is run from: the program is left alone,
    # and a ring of one mark (record/MARKS.md) says so for the report.
    text = 'fibers are not visible: the extension for Ruby could not be loaded'
    mark = [Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond), 0, 0, $$, 21, 0, text.size].pack('Q3LCCS')
    mark << text[0, 24] << [1].pack('Q') << text[24..].ljust(56, "\0") << [2 | 1 << 63].pack('Q')
    head = ['runmark1', 1, $$, 4096, 0, 4096].pack('a8L4Q').ljust(4096, "\0")
    ring = "#{ENV['CORUN_MARKS']}/#{$$}-ruby"
    File.binwrite(ring, head + mark.ljust(4096 * 64, "\0"), perm: 0600)
    File.rename(ring, "#{ring}.ring")
  end
end
