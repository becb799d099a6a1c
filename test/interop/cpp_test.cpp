/* SPDX-License-Identifier: MIT */
/* Hocket and C++: exceptions inside of tasks and across waits, uncaught ones, thread_local, options. */
#include <hocket.h>

#include <atomic>
#include <cerrno>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <check.h>

#include "support/death.h"
#include "support/migrate.h"

namespace
{

/* ---- a small binding, as C++ users write it ---- */

using body = std::function<void()>;

int call(void *arg)
{
    (*static_cast<body *>(arg))();
    return 0;
}

void run(int workers, body fn)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = workers;
    o.no_signals = true;
    o.quiet_watchdog = true;
    HK_EXPECT_EQ(hocket_run_with(call, &fn, &o), 0);
}

class task
{
  public:
    explicit task(body fn, int placement = HOCKET_ON_FIBER) : fn_(std::move(fn))
    {
        hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
        o.placement = placement;
        HK_EXPECT_OK(hocket_spawn_task(&handle_, nullptr, call, &fn_, &o));
    }
    task(const task &) = delete;
    task &operator=(const task &) = delete;
    ~task()
    {
        int result = -1;
        HK_EXPECT_EQ(hocket_join(handle_, &result, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(result, 0);
        hocket_task_release(handle_);
    }

  private:
    body fn_;
    hocket_task *handle_ = nullptr;
};

constexpr int modes[] = { 1, 4, HOCKET_NO_WORKERS };

/* ---- exceptions ---- */

struct counted {
    explicit counted(std::atomic<int> &n) : n_(n)
    {
        n_++;
    }
    counted(const counted &) = delete;
    counted &operator=(const counted &) = delete;
    ~counted()
    {
        n_--;
    }
    std::atomic<int> &n_;
};

[[gnu::noinline]] void throw_it(const std::string &what)
{
    throw std::runtime_error(what);
}

/* Thrown and caught in one task, with waits in the try block, the destructors and the handler. */
void throw_and_catch(int id)
{
    std::atomic<int> alive{ 0 };
    for (int i = 0; i < 30; i++) {
        std::string what = std::to_string(id) + "/" + std::to_string(i);
        try {
            counted c(alive);
            HK_EXPECT_EQ(hocket_yield(), 0);
            throw_it(what);
            HK_EXPECT(false);
        } catch (const std::runtime_error &e) {
            HK_EXPECT_EQ(alive, 0);
            HK_EXPECT_EQ(hocket_sleep(i % 3 ? 1 : 30 * HOCKET_US), 0);
            HK_EXPECT(what == e.what()); /* still our own */
            HK_EXPECT(std::current_exception() != nullptr);
            try {
                throw; /* the one we are handling, not that of another task */
            } catch (const std::runtime_error &again) {
                HK_EXPECT(what == again.what());
                HK_EXPECT_EQ(hocket_yield(), 0);
            }
            try {
                HK_EXPECT_EQ(hocket_yield(), 0);
                throw_it("inner " + what);
            } catch (const std::runtime_error &inner) {
                HK_EXPECT_EQ(hocket_yield(), 0);
                HK_EXPECT("inner " + what == inner.what());
            }
            HK_EXPECT(what == e.what());
        }
        HK_EXPECT(std::current_exception() == nullptr);
        HK_EXPECT_EQ(std::uncaught_exceptions(), 0);
    }
}

START_TEST(exceptions_across_waits)
{
    for (int workers : modes)
        for (int threads = 0; threads < 2; threads++)
            run(workers, [threads] {
                std::vector<task *> tasks;
                for (int i = 0; i < 12; i++)
                    tasks.push_back(new task([i] { throw_and_catch(i); }, threads && i % 2
                                                                              ? HOCKET_ON_THREAD
                                                                              : HOCKET_ON_FIBER));
                for (task *t : tasks)
                    delete t;
            });
}
END_TEST

/* A handler that waits goes on on another thread. */
START_TEST(handlers_move_to_other_threads)
{
    run(2, [] {
        for (int i = 0; i < 5; i++) {
            try {
                throw_it("mine");
            } catch (const std::runtime_error &e) {
                migrate();
                HK_EXPECT(std::string("mine") == e.what());
                try {
                    throw;
                } catch (const std::runtime_error &again) {
                    HK_EXPECT(&again == &e);
                }
            }
            HK_EXPECT(std::current_exception() == nullptr);
        }
    });
}
END_TEST

struct waits_when_destroyed {
    ~waits_when_destroyed()
    {
        HK_EXPECT_EQ(std::uncaught_exceptions(), 1);
        HK_EXPECT_EQ(hocket_sleep(20 * HOCKET_US), 0);
        HK_EXPECT_EQ(std::uncaught_exceptions(), 1); /* ours, on whichever thread */
    }
};

/* Destructors that run because of an exception may wait. */
START_TEST(waits_while_unwinding)
{
    for (int workers : modes)
        run(workers, [] {
            std::vector<task *> tasks;
            for (int i = 0; i < 8; i++)
                tasks.push_back(new task([] {
                    for (int k = 0; k < 10; k++) {
                        try {
                            waits_when_destroyed w;
                            throw_it("out");
                        } catch (const std::exception &) {
                            HK_EXPECT_EQ(std::uncaught_exceptions(), 0);
                        }
                        HK_EXPECT_EQ(hocket_yield(), 0);
                    }
                }));
            for (task *t : tasks)
                delete t;
        });
}
END_TEST

/* A child knows nothing of the exception its parent is handling, even above its frames. */
START_TEST(children_of_a_handler)
{
    for (int workers : modes)
        run(workers, [] {
            try {
                throw_it("parent");
            } catch (const std::exception &e) {
                {
                    task child([] {
                        HK_EXPECT(std::current_exception() == nullptr);
                        HK_EXPECT_EQ(std::uncaught_exceptions(), 0);
                        throw_and_catch(99);
                    });
                }
                HK_EXPECT(std::string("parent") == e.what());
                HK_EXPECT(std::current_exception() != nullptr);
            }
        });
}
END_TEST

/* How an exception gets from one task to another. */
START_TEST(exception_pointers)
{
    run(2, [] {
        std::exception_ptr failure;
        {
            task t([&failure] {
                try {
                    throw_it("carried");
                } catch (...) {
                    failure = std::current_exception();
                }
            });
        }
        try {
            std::rethrow_exception(failure);
        } catch (const std::runtime_error &e) {
            HK_EXPECT(std::string("carried") == e.what());
        }
    });
}
END_TEST

/* Thrown by the thread that waits for the runtime, around it. */
START_TEST(a_runtime_inside_of_a_handler)
{
    try {
        throw_it("outer");
    } catch (const std::exception &e) {
        for (int workers : modes)
            run(workers, [] { throw_and_catch(1); });
        HK_EXPECT(std::string("outer") == e.what());
        HK_EXPECT(std::current_exception() != nullptr);
    }
    HK_EXPECT(std::current_exception() == nullptr);
}
END_TEST

/* ---- uncaught ---- */

void uncaught_in_place(void *)
{
    run(1, [] {
        try {
            task child([] { throw_it("nobody catches me"); });
            /* joined in place: the child's frames lie above this handler */
        } catch (...) {
            _exit(99);
        }
    });
}

void uncaught_alone(void *)
{
    run(2, [] {
        task child([] {
            HK_EXPECT_EQ(hocket_sleep(HOCKET_MS), 0);
            throw_it("nobody catches me");
        });
        HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), 0);
    });
}

void uncaught_in_a_thread(void *)
{
    run(2, [] { task child([] { throw_it("nobody catches me"); }, HOCKET_ON_THREAD); });
}

void uncaught_around_run(void *)
{
    try {
        run(1, [] { throw_it("nobody catches me"); });
    } catch (...) {
        _exit(99);
    }
}

void uncaught_in_noexcept(void *)
{
    run(1, [] {
        try {
            []() noexcept { throw_it("nobody catches me"); }();
        } catch (...) {
            _exit(99);
        }
    });
}

/* No exception leaves a task: std::terminate, with the C++ library's own words. */
START_TEST(uncaught_exceptions)
{
    for (auto fn : { uncaught_in_place, uncaught_alone, uncaught_in_a_thread, uncaught_around_run,
                     uncaught_in_noexcept })
        death_by_signal(fn, nullptr, SIGABRT, "nobody catches me");
}
END_TEST

/* ---- thread_local ---- */

struct of_thread {
    of_thread()
    {
        made++;
    }
    ~of_thread()
    {
        gone++;
    }
    int value = 0;
    static std::atomic<int> made, gone;
};
std::atomic<int> of_thread::made{ 0 }, of_thread::gone{ 0 };

/* The address is hidden, or clang computes it in the caller, once for before and after the wait. */
[[gnu::noinline]] of_thread &mine()
{
    static thread_local of_thread t;
    of_thread *here = &t;
    __asm__ volatile("" : "+r"(here));
    return *here;
}

/* Made at first use on each thread and destroyed with it; a task that waited sees another one. */
START_TEST(thread_local_objects)
{
    static const long outside = migrate_thread();
    static int here = 0;
    run(2, [] {
        here += migrate_thread() == outside;
        of_thread *before = &mine();
        before->value = 7;
        migrate();
        here += migrate_thread() == outside;
        HK_EXPECT(&mine() != before);
        HK_EXPECT_EQ(mine().value, 0);
    });
    HK_EXPECT_EQ(of_thread::made, 2);
    HK_EXPECT_EQ(of_thread::gone, 2 - here); /* the workers'; this thread still has its own */
}
END_TEST

/* Scopes of Hocket and of C++ go together. */
class scope
{
  public:
    explicit scope(bool keep_going = false)
    {
        hocket_scope_options o = HOCKET_SCOPE_OPTIONS_DEFAULT;
        o.keep_going = keep_going;
        hocket_scope_open(&s_, &o);
    }
    scope(const scope &) = delete;
    scope &operator=(const scope &) = delete;
    ~scope()
    {
        if (std::uncaught_exceptions() > 0)
            hocket_scope_cancel(&s_);
        (void)!hocket_scope_close(&s_);
    }
    void spawn(body *fn)
    {
        HK_EXPECT_OK(hocket_spawn(&s_, call, fn));
    }

  private:
    hocket_scope s_;
};

/* An exception that leaves the block cancels the tasks of it and waits for them. */
START_TEST(scopes_close_while_unwinding)
{
    for (int workers : modes)
        run(workers, [] {
            std::atomic<int> ended{ 0 };
            body wait = [&ended] {
                HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), -ECANCELED);
                ended++;
            };
            try {
                scope s;
                for (int i = 0; i < 5; i++)
                    s.spawn(&wait);
                HK_EXPECT_EQ(hocket_sleep(HOCKET_MS), 0);
                throw_it("out of the block");
            } catch (const std::runtime_error &) {
                HK_EXPECT_EQ(ended, 5);
            }
        });
}
END_TEST

} // namespace

int main()
{
    Suite *suite = suite_create("cpp");
    TCase *tc = tcase_create("cpp");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, exceptions_across_waits);
    tcase_add_test(tc, handlers_move_to_other_threads);
    tcase_add_test(tc, waits_while_unwinding);
    tcase_add_test(tc, children_of_a_handler);
    tcase_add_test(tc, exception_pointers);
    tcase_add_test(tc, a_runtime_inside_of_a_handler);
    tcase_add_test(tc, uncaught_exceptions);
    tcase_add_test(tc, thread_local_objects);
    tcase_add_test(tc, scopes_close_while_unwinding);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
