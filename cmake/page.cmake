# SPDX-License-Identifier: MIT
# Run by cmake -P with FOLDER and OUT: the page of `hocket trace view` as a C array.
# The scripts become one, in this order.
set(js "")
foreach(name IN ITEMS data model text raster chart draw frame dom totals details search input main)
  file(READ ${FOLDER}/${name}.js text)
  string(APPEND js "${text}")
endforeach()
file(READ ${FOLDER}/page.html page)
file(READ ${FOLDER}/page.css css)
string(REPLACE "@@page.css@@" "${css}" page "${page}")
string(REPLACE "@@page.js@@" "${js}" page "${page}")
file(WRITE ${OUT}.html "${page}")
file(READ ${OUT}.html hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n"
  bytes "${bytes}")
file(WRITE ${OUT} "/* Made from tools/view/page. */
#include \"view/page.h\"

const char view_page[] = {
${bytes}0
};
")
