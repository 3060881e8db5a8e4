#pragma once
#include <isa-l/igzip_lib.h>

/// The bytes of the work area that a level needs: ISA-L's macros, which Swift does not see.
static inline uint32_t isal_level_buffer_size(uint32_t level) {
  switch (level) {
  case 1: return ISAL_DEF_LVL1_DEFAULT;
  case 2: return ISAL_DEF_LVL2_DEFAULT;
  case 3: return ISAL_DEF_LVL3_DEFAULT;
  default: return ISAL_DEF_LVL0_DEFAULT;
  }
}
