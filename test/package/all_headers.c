/* SPDX-License-Identifier: MIT */
#include <hocket.h>
