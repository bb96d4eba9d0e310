#include "system.h"

// Swift's runtime reads the arguments from /proc, which may not exist. The loader also passes them to constructors, except with
// musl.

static int count;
static char *const *words;

#if defined(__GLIBC__) || defined(__APPLE__)
__attribute__((constructor)) static void note_arguments(int argc, char **argv) {
  count = argc;
  words = argv;
}
#endif

int lms_argument_count(void) { return words ? count : 0; }

const char *lms_argument(int index) { return index >= 0 && index < lms_argument_count() ? words[index] : NULL; }
