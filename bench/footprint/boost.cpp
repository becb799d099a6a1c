// SPDX-License-Identifier: MIT
// bench-include: boost/fiber/all.hpp
// bench-flags: -lboost_fiber -lboost_context
// bench-package: libboost-fiber-dev

// A fiber does the work, main joins it. Boost.Fiber has one thread unless told otherwise.

#include <boost/fiber/all.hpp>

#include "hello.h"

int main(int argc, char **argv)
{
    boost::fibers::fiber([&] { hello(argc > 1 ? argv[1] : ""); }).join();
    return 0;
}
