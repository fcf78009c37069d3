#!/bin/sh
# Each public header compiles alone, as C99 and as C++17, and a C++ program that includes <evy.h> links and runs.
set -e
lib=$1
root=$(dirname "$0")/../..
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for h in "$root"/include/evy.h "$root"/include/evy/*.h; do
    ${CC:-cc} -std=c99 -pedantic -Wall -Wextra -Werror -I"$root/include" -fsyntax-only -x c "$h"
    ${CXX:-c++} -std=c++17 -pedantic -Wall -Wextra -Werror -I"$root/include" -fsyntax-only -x c++ "$h"
done
# What they define is as strict, blocks within blocks too.
cat >"$tmp/strict.c" <<'EOF'
#include <evy.h>
int main(void)
{
    evy_timeout outer = EVY_TIMEOUT_INIT, inner = EVY_TIMEOUT_INIT;
    EVY_WITH_TIMEOUT(&outer, 1)
    {
        EVY_WITH_TIMEOUT(&inner, 2) evy_sleep(0);
    }
    return 0;
}
EOF
${CC:-cc} -std=c99 -pedantic -Wall -Wextra -Wshadow -Werror -I"$root/include" -fsyntax-only "$tmp/strict.c"
${CXX:-c++} -std=c++17 -pedantic -Wall -Wextra -Wshadow -Werror -I"$root/include" -fsyntax-only -x c++ "$tmp/strict.c"
cat >"$tmp/p.cc" <<'EOF'
#include <evy.h>
#include <cstdio>
int main()
{
    static int answer = 42;
    void *result = nullptr;
    evy_gt *g = evy_spawn([](void *arg) { return arg; }, &answer);
    if (evy_gt_wait(g, &result) || result != &answer)
        return 1;
    evy_gt_unref(g);
    std::puts(evy_version());
}
EOF
dir=$(cd "$(dirname "$lib")" && pwd)
${CXX:-c++} -std=c++17 -I"$root/include" "$tmp/p.cc" -L"$dir" -levy -Wl,-rpath,"$dir" -o "$tmp/p"
test "$("$tmp/p")" = "$(sed -n 's|^#define EVY_VERSION "\(.*\)"|\1|p' "$root/include/evy.h")"
