// SPDX-License-Identifier: MIT
// Locks.java - a monitor and a ReentrantLock, fought over by four threads.
import java.util.concurrent.locks.ReentrantLock;

class Locks {
    static int sum;

    static void sideBySide(Runnable work) throws InterruptedException {
        Thread[] threads = new Thread[4];
        for (int t = 0; t < threads.length; t++) {
            threads[t] = new Thread(work, "fighter-" + t);
            threads[t].start();
        }
        for (Thread thread : threads)
            thread.join();
    }

    static void hold() {
        sum++;
        try {
            Thread.sleep(1);
        } catch (InterruptedException e) {
            throw new RuntimeException(e);
        }
    }

    public static void main(String[] arguments) throws InterruptedException {
        Object monitor = new Object();
        ReentrantLock lock = new ReentrantLock();

        sideBySide(() -> {
            for (int i = 0; i < 40; i++)
                synchronized (monitor) {
                    hold();
                }
        });
        sideBySide(() -> {
            for (int i = 0; i < 40; i++) {
                lock.lock();
                try {
                    hold();
                } finally {
                    lock.unlock();
                }
            }
        });
        System.out.println("sum " + sum);
    }
}
