// SPDX-License-Identifier: MIT
// locks.cc - C++'s locks, fought over: mutex (each thread notes when it held it: "hold tid from until", CLOCK_MONOTONIC
// ns), condition (waited for until another thread says go), shared (one writer among readers: "writer tid").
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

#include <sys/syscall.h>
#include <unistd.h>

using clock_type = std::chrono::steady_clock;
using namespace std::chrono_literals;

static long long now()
{
	return std::chrono::duration_cast<std::chrono::nanoseconds>(clock_type::now().time_since_epoch()).count();
}

struct Hold {
	long tid;
	long long from, until;
};

static void side_by_side(int n, const std::function<void(int)> &work)
{
	std::vector<std::thread> threads;
	std::atomic<int> here{0};

	for (int t = 0; t < n; t++)
		threads.emplace_back([&, t] {
			here++;
			while (here < n) // or the first may be done before the last has begun
				std::this_thread::sleep_for(100us);
			work(t);
		});
	for (auto &thread : threads)
		thread.join();
}

static void mutex()
{
	std::mutex lock;
	std::vector<Hold> holds; // written by who holds the lock

	side_by_side(4, [&](int) {
		for (int i = 0; i < 200; i++) {
			{
				std::lock_guard<std::mutex> guard(lock);
				long long from = now();
				std::this_thread::sleep_for(500us);
				holds.push_back({syscall(SYS_gettid), from, now()});
			}
			std::this_thread::sleep_for(100us);
		}
	});
	for (const Hold &hold : holds)
		std::printf("hold %ld %lld %lld\n", hold.tid, hold.from, hold.until);
}

static void condition()
{
	std::mutex lock;
	std::condition_variable changed;
	int turn = 0;

	side_by_side(3, [&](int me) {
		for (int i = 0; i < 60; i++) {
			std::unique_lock<std::mutex> guard(lock);
			changed.wait(guard, [&] { return turn % 3 == me; });
			turn++;
			guard.unlock();
			std::this_thread::sleep_for(300us);
			changed.notify_all();
		}
	});
}

static void shared()
{
	std::shared_mutex lock;
	int value = 0;

	side_by_side(4, [&](int me) {
		for (int i = 0; i < 60; i++) {
			if (me == 0) {
				std::unique_lock<std::shared_mutex> guard(lock);
				if (!value++)
					std::printf("writer %ld\n", syscall(SYS_gettid));
				std::this_thread::sleep_for(500us);
			} else {
				std::shared_lock<std::shared_mutex> guard(lock);
				std::this_thread::sleep_for(200us + value * 1ns);
			}
			std::this_thread::sleep_for(100us);
		}
	});
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!std::strcmp(what, "mutex"))
		mutex();
	else if (!std::strcmp(what, "condition"))
		condition();
	else if (!std::strcmp(what, "shared"))
		shared();
	else
		return 2;
}
