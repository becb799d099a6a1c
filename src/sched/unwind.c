/* SPDX-License-Identifier: MIT */
/*
 * unwind - the personality of the frame below a task's function; see sched/unwind.h
 *
 * It is named by assembler directives only, hence `used`.
 */
#include "sched/unwind.h"

#include <unwind.h>

#include "base/panic.h"
#include "park/record.h"

_Unwind_Reason_Code hocket__personality(int version, _Unwind_Action actions,
                                        _Unwind_Exception_Class exception_class,
                                        struct _Unwind_Exception *exception,
                                        struct _Unwind_Context *context);

__attribute__((used)) _Unwind_Reason_Code hocket__personality(
    int version, _Unwind_Action actions, _Unwind_Exception_Class exception_class,
    struct _Unwind_Exception *exception, struct _Unwind_Context *context)
{
    (void)version, (void)exception_class, (void)exception, (void)context;
    if (actions & _UA_FORCE_UNWIND) {
        char name[HOCKET_NAME_MAX];
        hocket__panic("pthread_exit or pthread_cancel in task '%s': a task ends by returning",
                      hocket__task_name(hocket__self_or_null(), name, sizeof name));
    }
    /* Nobody further up may have it.  The C++ runtime answers an error with std::terminate. */
    return actions & _UA_SEARCH_PHASE ? _URC_FATAL_PHASE1_ERROR : _URC_FATAL_PHASE2_ERROR;
}
