/* SPDX-License-Identifier: MIT */
/* The smallest user of a lock: what it links must not grow with the rest of the library. */
#include <hocket/mutex.h>

int main(void)
{
    static hocket_mutex mutex;
    hocket_mutex_lock(&mutex);
    hocket_mutex_unlock(&mutex);
    return 0;
}
