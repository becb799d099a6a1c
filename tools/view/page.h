/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_VIEW_PAGE_H
#define TOOLS_VIEW_PAGE_H

/*
 * The page of `hocket trace view`, put together from tools/view/page by cmake/page.cmake.  It has
 * the words @@coding@@ and @@trace@@ once each, in this order, where a trace belongs; ends with a NUL.
 */
extern const char view_page[];

#endif
