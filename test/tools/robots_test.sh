#!/bin/sh
# SPDX-License-Identifier: MIT
# The answers of `hocket robots`: the same as awk's, on real logs and on nasty ones.
# shellcheck source=test/tools/lib.sh
. "${0%/*}/lib.sh"

# nasty SEED LINES: lines that look nearly right.
nasty() {
    awk -v seed="$1" -v n="$2" '
    function any(list,   parts, k) { k = split(list, parts, "|"); return parts[int(rand() * k) + 1] }
    function blank() { return rand() < 0.9 ? " " : any("  |\t| \t |   ") }
    BEGIN {
        srand(seed)
        for (i = 0; i < n; i++) {
            line = rand() < 0.05 ? blank() : ""
            fields = rand() < 0.7 ? 12 : int(rand() * 14)
            for (f = 1; f <= fields; f++) {
                if (f == 1 && rand() < 0.9)
                    word = "host" int(rand() * 300)
                else if (f == 7 && rand() < 0.6)
                    word = any("/robots.txt|/robots.txt|/robots.txt?|/robots.tx|//robots.txt|/|/robots.txt\"|/a/robots.txt|/robots.txt/robots.txt|/robots.txtx")
                else
                    word = any("-|\"GET|/robots.txt|[17/May/2015:10:05:03|+0000]|HTTP/1.1\"|\"/robots.txt\"|200|x|/robots.txt/robots.txt|\\|\"\"|é|0|-1|/robots.txt,")
                line = line word (f < fields || rand() < 0.1 ? blank() : "")
            }
            printf "%s%s", line, (i < n - 1 || rand() < 0.5 ? "\n" : "")
        }
    }'
}

for seed in 1 2 3 4 5 6; do
    nasty $seed 4000 >"$dir/nasty.log"
    awk_hosts <"$dir/nasty.log" >"$dir/expected"
    [ "$(wc -l <"$dir/expected")" -gt 50 ] || fail "the nasty log of seed $seed has too few hosts"
    run 0 robots "$dir/nasty.log"
    same "hosts of nasty log, seed $seed" "$dir/expected" "$dir/out"
    empty "$dir/err"
    for path in / /robots.txt? '/robots.txt"' 200 x; do
        paths_hosts "$path" <"$dir/nasty.log" >"$dir/expected"
        run 0 robots --path "$path" "$dir/nasty.log"
        same "hosts of nasty log, seed $seed, path $path" "$dir/expected" "$dir/out"
    done
    awk '$7 == "/robots.txt" { n[$1]++ } END { for (h in n) print h "\t" n[h] }' "$dir/nasty.log" |
        sort >"$dir/expected"
    hocket robots --count "$dir/nasty.log" | sort >"$dir/actual"
    same "counts of nasty log, seed $seed" "$dir/expected" "$dir/actual"
done

# The last line ends with the path, the file with the line.
printf 'a 2 3 4 5 6 /robots.txt' >"$dir/end.log"
run 0 robots "$dir/end.log"
echo a >"$dir/expected"
same "a file that ends with the path" "$dir/expected" "$dir/out"

# Several files, each executor and number of jobs: always the same answer.
for seed in 11 12 13 14 15; do nasty $seed 800 >"$dir/part$seed.log"; done
cat "$dir"/part1[1-5].log >"$dir/all"
# A file whose last line has no end is a line of its own.
awk 1 "$dir"/part1[1-5].log | awk_hosts >"$dir/expected"
awk 1 "$dir"/part1[1-5].log |
    awk '$7 == "/robots.txt" { n[$1]++ } END { for (h in n) print h "\t" n[h] }' | sort >"$dir/counts"
for on in inline threads fibers; do
    for jobs in 1 2 7; do
        run 0 robots --on $on -j $jobs "$dir"/part1[1-5].log
        same "--on $on -j $jobs" "$dir/expected" "$dir/out"
        run 0 robots --count --on $on -j $jobs "$dir"/part1[1-5].log
        sort "$dir/out" >"$dir/actual"
        same "--count --on $on -j $jobs" "$dir/counts" "$dir/actual"
    done
done

# Standard input, alone and beside others.
awk_hosts <"$dir/all" >"$dir/expected"
hocket robots - <"$dir/all" >"$dir/out"
same "standard input" "$dir/expected" "$dir/out"
head -c 1000000000 "$dir/all" | hocket robots --on inline - >"$dir/out"
same "standard input, a pipe" "$dir/expected" "$dir/out"
awk 1 "$dir"/part1[1-5].log | awk_hosts >"$dir/expected"
head -c 1000000000 "$dir/part11.log" | hocket robots "$dir"/part1[234].log - "$dir/part15.log" >"$dir/out"
same "standard input among files" "$dir/expected" "$dir/out"

# Folders: by name, to any depth, without links.
mkdir -p "$dir/tree/a/b/c" "$dir/tree/empty" "$dir/elsewhere"
n=0
for name in x.log x.log.1 x.log.23 access_log access_log.old access_log-2024 a/y.log a/b/c/z.log \
    .hidden.log; do
    n=$((n + 1))
    log_line $n /robots.txt >"$dir/tree/$name"
    printf '192.0.2.%s\n' $n
done | sort >"$dir/expected"
for name in x.txt x.log.old x.log. logx my_access_log x.gzip x.log.1x a/b/README; do
    log_line 200 /robots.txt >"$dir/tree/$name"
done
log_line 201 /robots.txt >"$dir/elsewhere/link.log"
ln -s "$dir/elsewhere" "$dir/tree/a/link"
ln -s ../.. "$dir/tree/a/b/loop.log"
ln -s "$dir/elsewhere/link.log" "$dir/tree/link.log"
mkfifo "$dir/tree/fifo.log"
mkdir "$dir/tree/folder.log"
run 0 robots "$dir/tree"
same "folder" "$dir/expected" "$dir/out"
run 0 robots "$dir/tree/"
same "folder with a slash" "$dir/expected" "$dir/out"
(cd "$dir/tree" && hocket robots . >"$dir/out") || fail "folder ."
same "folder ." "$dir/expected" "$dir/out"
run 0 robots "$dir/tree/link.log"
echo 192.0.2.201 >"$dir/expected"
same "a link on the command line is followed" "$dir/expected" "$dir/out"
run 0 robots "$dir/tree/x.txt"
echo 192.0.2.200 >"$dir/expected"
same "a file on the command line has any name" "$dir/expected" "$dir/out"
run 0 robots "$dir/tree/empty"
empty "$dir/out"

# No match is no failure.
log_line 1 / >"$dir/none.log"
: >"$dir/empty.log"
run 0 robots "$dir/none.log" "$dir/empty.log"
empty "$dir/out"
empty "$dir/err"
run 0 robots --json "$dir/none.log"
printf '[]\n' >"$dir/expected"
same "JSON without hosts" "$dir/expected" "$dir/out"

# Bytes that terminals obey, quotes, and bytes that are no text.
printf 'a\033[31m 2 3 4 5 6 /robots.txt\nb"\\ 2 3 4 5 6 /robots.txt\n\377\302\233x 2 3 4 5 6 /robots.txt\n' >"$dir/odd.log"
printf 'k\303\266ln 2 3 4 5 6 /robots.txt\nk\303\266ln 2 3 4 5 6 /robots.txt\n' >>"$dir/odd.log"
run 0 robots "$dir/odd.log"
printf 'a\\x1b[31m\nb"\\\nk\303\266ln\n\\xff\\xc2\\x9bx\n' >"$dir/expected"
same "odd hosts" "$dir/expected" "$dir/out"
run 0 robots --json "$dir/odd.log"
printf '[\n{"host":"a\\u001b[31m","hits":1},\n{"host":"b\\"\\\\","hits":1},\n{"host":"k\303\266ln","hits":2},\n{"host":"\\ufffd\\u009bx","host_hex":"ffc29b78","hits":1}\n]\n' >"$dir/expected"
same "odd hosts in JSON" "$dir/expected" "$dir/out"

# A NUL is a byte like any other; mawk, gawk and busybox differ, so no comparison here.
printf 'a\000b 2 3 4 5 6 /robots.txt\n\000\000\n' >"$dir/nul.log"
run 0 robots "$dir/nul.log"
printf 'a\\x00b\n' >"$dir/expected"
same "NUL in a host" "$dir/expected" "$dir/out"

# Gzip by its first bytes, of one member, of many, with padding.
if have_gzip && command -v gzip >/dev/null; then
    cat "$dir"/part1[1-5].log >"$dir/all"
    awk_hosts <"$dir/all" >"$dir/expected"
    gzip -c "$dir/all" >"$dir/one.gz"
    for part in 11 12 13 14 15; do gzip -c "$dir/part$part.log"; done >"$dir/many.gz"
    cp "$dir/one.gz" "$dir/gzip-without-a-name"
    { cat "$dir/many.gz"; head -c 5000 /dev/zero; } >"$dir/padded.gz"
    { : | gzip -c; cat "$dir/one.gz"; : | gzip -c; } >"$dir/hollow.gz"
    for file in one.gz many.gz gzip-without-a-name padded.gz hollow.gz; do
        run 0 robots "$dir/$file"
        same "$file" "$dir/expected" "$dir/out"
        hocket robots - <"$dir/$file" >"$dir/out"
        same "$file on standard input" "$dir/expected" "$dir/out"
    done
    # Members as small and as many as they get: each line its own.
    head -60 "$dir/part11.log" | while IFS= read -r line; do printf '%s\n' "$line" | gzip -1c; done >"$dir/tiny.gz"
    head -60 "$dir/part11.log" | awk_hosts >"$dir/expected"
    run 0 robots "$dir/tiny.gz"
    same "a member a line" "$dir/expected" "$dir/out"
fi

# Real logs, where they are at hand.
data=${HOCKET_SHARED_DATA:-${0%/*}/../../../shared/data}/apache
if [ -d "$data" ] && have_gzip; then
    zcat "$data"/*.gz | awk_hosts >"$dir/expected"
    run 0 robots "$data"
    same "real logs" "$dir/expected" "$dir/out"
    lines 95 "$dir/out"
fi

finish
