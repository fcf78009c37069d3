#include "../suite.h"

#include <evy.h>
#include <stdio.h>
#include <stdlib.h>

START_TEST(library_and_header_agree)
{
    int major, minor, patch;
    ck_assert_str_eq(evy_version(), EVY_VERSION);
    ck_assert_int_eq(sscanf(evy_version(), "%d.%d.%d", &major, &minor, &patch), 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("version");
    TCase *tc = tcase_create("version");
    tcase_add_test(tc, library_and_header_agree);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
