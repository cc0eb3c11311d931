// SPDX-License-Identifier: MIT
// call_sites.cc - C++ that waits: templates, and standard functions that the compiler inlines.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace store {

template <typename T> class Box {
public:
	__attribute__((noinline)) void put(T value)
	{
		std::lock_guard<std::mutex> guard(mutex_); // WAIT store::Box<int>::put(int)
		std::this_thread::sleep_for(std::chrono::milliseconds(2));
		if (value_ < value) // or the main thread may miss the last one for ever
			value_ = value;
		changed_.notify_all();
	}

	__attribute__((noinline)) T take(T least)
	{
		std::unique_lock<std::mutex> guard(mutex_);
		while (value_ < least)
			changed_.wait(guard); // WAIT store::Box<int>::take(int)
		return value_;
	}

private:
	std::mutex mutex_;
	std::condition_variable changed_;
	T value_{};
};

} // namespace store

int main()
{
	store::Box<int> box;
	std::vector<std::thread> threads;

	// Who takes comes first: once they put, the mutex may not be its before the last is there.
	threads.emplace_back([&box] { box.take(59); });
	std::this_thread::sleep_for(std::chrono::milliseconds(30));
	for (int t = 0; t < 3; t++)
		threads.emplace_back([&box, t] {
			for (int i = 0; i < 20; i++)
				box.put(t * 20 + i);
		});
	for (auto &thread : threads)
		thread.join();
}
