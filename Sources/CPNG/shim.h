// libpng's full interface reports errors with longjmp, which must not cross Swift frames. Its simplified
// interface (png_image) returns them, and it is all that is used here.
#include <png.h>
#include <string.h>
