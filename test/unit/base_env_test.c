/* SPDX-License-Identifier: MIT */
/* env: the values of HOCKET_* variables, and the names of files in them. */
#include "base/env.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/suite.h"

START_TEST(unset_and_empty_are_none)
{
    unsetenv("HOCKET_ENV_TEST");
    ck_assert_ptr_null(hocket__env("HOCKET_ENV_TEST"));
    setenv("HOCKET_ENV_TEST", "", 1);
    ck_assert_ptr_null(hocket__env("HOCKET_ENV_TEST"));
    ck_assert(!hocket__env_on("HOCKET_ENV_TEST"));
}
END_TEST

START_TEST(zero_is_off)
{
    setenv("HOCKET_ENV_TEST", "0", 1);
    ck_assert_str_eq(hocket__env("HOCKET_ENV_TEST"), "0");
    ck_assert(!hocket__env_on("HOCKET_ENV_TEST"));
    setenv("HOCKET_ENV_TEST", "1", 1);
    ck_assert(hocket__env_on("HOCKET_ENV_TEST"));
}
END_TEST

START_TEST(names_of_files)
{
    char name[64], wanted[64];
    unsetenv("HOCKET_ENV_TEST");
    ck_assert_int_eq(hocket__env_path("HOCKET_ENV_TEST", name, sizeof name), -ENOENT);
    setenv("HOCKET_ENV_TEST", "/tmp/a%p.b%%c", 1);
    ck_assert_int_eq(hocket__env_path("HOCKET_ENV_TEST", name, sizeof name), 0);
    (void)snprintf(wanted, sizeof wanted, "/tmp/a%ld.b%%c", (long)getpid());
    ck_assert_str_eq(name, wanted);
    ck_assert_int_eq(hocket__env_path("HOCKET_ENV_TEST", name, strlen(wanted) + 1), 0);
    ck_assert_int_eq(hocket__env_path("HOCKET_ENV_TEST", name, strlen(wanted)), -ENAMETOOLONG);
    setenv("HOCKET_ENV_TEST", "a%d", 1);
    ck_assert_int_eq(hocket__env_path("HOCKET_ENV_TEST", name, sizeof name), -EINVAL);
    setenv("HOCKET_ENV_TEST", "a%", 1);
    ck_assert_int_eq(hocket__env_path("HOCKET_ENV_TEST", name, sizeof name), -EINVAL);
}
END_TEST

SUITE("base_env", 10)
{
    suite_once(unset_and_empty_are_none);
    suite_once(zero_is_off);
    suite_once(names_of_files);
}
