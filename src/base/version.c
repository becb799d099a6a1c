/* SPDX-License-Identifier: MIT */
/*
 * version - which library a program has been started with
 */
#include <hocket/base.h>

const char *hocket_version(void)
{
    return HOCKET_VERSION_STRING;
}
