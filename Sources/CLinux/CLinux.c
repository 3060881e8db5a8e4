#include "CLinux.h"

_Thread_local void *clinux_thread_loop = 0;
