// Which library compresses and decompresses messages best: nanoseconds a message and the size that is left, for JSON-like
// messages of several sizes, each compressed without context as permessage-deflate does it (RFC 7692). One line a
// combination. Benchmarks/deflate/run builds and runs this.
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

enum { MESSAGES = 64, LARGEST = 65536, ROOM = LARGEST * 2 };

static uint8_t messages[MESSAGES][LARGEST];
static uint8_t compressed[MESSAGES][ROOM];
static size_t compressed_sizes[MESSAGES];
static uint8_t output[ROOM];
static uint64_t state = 35;

static uint32_t below(uint32_t limit) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33) % limit;
}

static const char *words[] = {
  "order", "price", "the", "channel", "message", "online", "device", "hello", "temperature", "north", "and", "was",
  "user", "ready", "42nd", "street", "lamp", "state", "a", "of", "to", "meeting", "tomorrow", "sensor", "battery",
};

// Objects as applications send them: the same keys, other values.
static void fill(uint8_t *message, size_t size) {
  size_t used = 0;
  while (used < size) {
    char record[512];
    int count = snprintf(
      record, sizeof record,
      "{\"id\":%u,\"user\":\"u%u\",\"time\":17%08u,\"price\":%u.%02u,\"ok\":%s,\"text\":\"%s %s %s %s %s\"},",
      below(1000000), below(5000), below(100000000), below(1000), below(100), below(2) ? "true" : "false",
      words[below(25)], words[below(25)], words[below(25)], words[below(25)], words[below(25)]);
    size_t taken = (size_t)count < size - used ? (size_t)count : size - used;
    memcpy(message + used, record, taken);
    used += taken;
  }
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

typedef size_t (*Step)(void *state, const uint8_t *input, size_t count, uint8_t *output);

static size_t zlib_deflate(void *state, const uint8_t *input, size_t count, uint8_t *output) {
  z_stream *stream = state;
  deflateReset(stream);
  stream->next_in = (Bytef *)input;
  stream->avail_in = (uInt)count;
  stream->next_out = output;
  stream->avail_out = ROOM;
  deflate(stream, Z_SYNC_FLUSH);
  return ROOM - stream->avail_out - 4;
}

// A stream of its own: the last block has BFINAL, and RFC 7692 §7.2.3.4 wants a zero octet behind it.
static size_t libdeflate_deflate(void *state, const uint8_t *input, size_t count, uint8_t *output) {
  size_t written = libdeflate_deflate_compress(state, input, count, output, ROOM - 1);
  output[written] = 0;
  return written + 1;
}

static size_t isal_deflate_message(void *state, const uint8_t *input, size_t count, uint8_t *output) {
  struct isal_zstream *stream = state;
  isal_deflate_reset(stream);
  stream->next_in = (uint8_t *)input;
  stream->avail_in = (uint32_t)count;
  stream->next_out = output;
  stream->avail_out = ROOM;
  stream->flush = SYNC_FLUSH;
  stream->end_of_stream = 0;
  isal_deflate(stream);
  return ROOM - stream->avail_out - 4;
}

static size_t isal_stateless_message(void *state, const uint8_t *input, size_t count, uint8_t *output) {
  struct isal_zstream *stream = state;
  isal_deflate_stateless_init(stream);
  stream->next_in = (uint8_t *)input;
  stream->avail_in = (uint32_t)count;
  stream->next_out = output;
  stream->avail_out = ROOM;
  stream->flush = FULL_FLUSH;
  stream->end_of_stream = 0;
  isal_deflate_stateless(stream);
  return ROOM - stream->avail_out - 4;
}

static size_t zlib_inflate(void *state, const uint8_t *input, size_t count, uint8_t *output) {
  z_stream *stream = state;
  inflateReset(stream);
  stream->next_in = (Bytef *)input;
  stream->avail_in = (uInt)count;
  stream->next_out = output;
  stream->avail_out = ROOM;
  inflate(stream, Z_SYNC_FLUSH);
  return ROOM - stream->avail_out;
}

// An empty last block behind the four octets makes a stream that has an end.
static size_t libdeflate_inflate(void *state, const uint8_t *input, size_t count, uint8_t *output) {
  static uint8_t whole[ROOM];
  memcpy(whole, input, count);
  memcpy(whole + count, "\x03\x00", 2);
  size_t written = 0;
  libdeflate_deflate_decompress(state, whole, count + 2, output, ROOM, &written);
  return written;
}

static size_t isal_inflate_message(void *state, const uint8_t *input, size_t count, uint8_t *output) {
  struct inflate_state *stream = state;
  isal_inflate_reset(stream);
  stream->next_in = (uint8_t *)input;
  stream->avail_in = (uint32_t)count;
  stream->next_out = output;
  stream->avail_out = ROOM;
  isal_inflate(stream);
  return ROOM - stream->avail_out;
}

static void measure_deflate(const char *name, Step step, void *state, size_t size) {
  size_t total = 0;
  for (int index = 0; index < MESSAGES; index++) total += step(state, messages[index], size, output);
  long rounds = (long)(20e6 / (double)(size * 20 + 3000) / MESSAGES) + 1;
  double best = 1e18;
  for (int attempt = 0; attempt < 3; attempt++) {
    double began = now();
    for (long round = 0; round < rounds; round++)
      for (int index = 0; index < MESSAGES; index++) step(state, messages[index], size, output);
    double time = (now() - began) / (double)(rounds * MESSAGES);
    if (time < best) best = time;
  }
  printf("deflate %-22s %6zu B %9.0f ns %6.1f %%\n", name, size, best, 100.0 * (double)total / (double)(size * MESSAGES));
}

static void measure_inflate(const char *name, Step step, void *state, size_t size) {
  for (int index = 0; index < MESSAGES; index++) {
    size_t count = step(state, compressed[index], compressed_sizes[index], output);
    if (count != size || memcmp(output, messages[index], size) != 0) {
      printf("inflate %-22s %6zu B is wrong (%zu)\n", name, size, count);
      return;
    }
  }
  long rounds = (long)(20e6 / (double)(size * 4 + 500) / MESSAGES) + 1;
  double best = 1e18;
  for (int attempt = 0; attempt < 3; attempt++) {
    double began = now();
    for (long round = 0; round < rounds; round++)
      for (int index = 0; index < MESSAGES; index++) step(state, compressed[index], compressed_sizes[index], output);
    double time = (now() - began) / (double)(rounds * MESSAGES);
    if (time < best) best = time;
  }
  printf("inflate %-22s %6zu B %9.0f ns\n", name, size, best);
}

static void all_deflaters(size_t size) {
  char name[64];
  for (int memory = 8; memory >= 1; memory -= memory == 8 ? 2 : memory == 6 ? 1 : memory == 5 ? 1 : 3) {
    for (int level = 1; level <= 9; level++) {
      if (memory != 8 && level != 1 && level != 3 && level != 6) continue;
      z_stream stream = {0};
      if (deflateInit2(&stream, level, Z_DEFLATED, -15, memory, Z_DEFAULT_STRATEGY) != Z_OK) continue;
      snprintf(name, sizeof name, "zlib %d memory %d", level, memory);
      measure_deflate(name, zlib_deflate, &stream, size);
      deflateEnd(&stream);
    }
  }
  for (int level = 1; level <= 9; level++) {
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(level);
    snprintf(name, sizeof name, "libdeflate %d", level);
    measure_deflate(name, libdeflate_deflate, compressor, size);
    libdeflate_free_compressor(compressor);
  }
  static const uint32_t buffers[] = {
    ISAL_DEF_LVL0_DEFAULT, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT, ISAL_DEF_LVL3_DEFAULT,
  };
  static const uint32_t small[] = {ISAL_DEF_LVL0_MIN, ISAL_DEF_LVL1_MIN, ISAL_DEF_LVL2_MIN, ISAL_DEF_LVL3_MIN};
  for (uint32_t level = 0; level <= 3; level++) {
    struct isal_zstream *stream = malloc(sizeof *stream);
    isal_deflate_init(stream);
    stream->level = level;
    stream->level_buf_size = buffers[level];
    stream->level_buf = malloc(buffers[level] + 1);
    snprintf(name, sizeof name, "ISA-L %u", level);
    measure_deflate(name, isal_deflate_message, stream, size);
    stream->level_buf_size = small[level];
    snprintf(name, sizeof name, "ISA-L %u small", level);
    measure_deflate(name, isal_deflate_message, stream, size);
    stream->level_buf_size = buffers[level];
    snprintf(name, sizeof name, "ISA-L %u stateless", level);
    measure_deflate(name, isal_stateless_message, stream, size);
    free(stream->level_buf);
    free(stream);
  }
}

static void all_inflaters(size_t size) {
  z_stream deflater = {0};
  deflateInit2(&deflater, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  for (int index = 0; index < MESSAGES; index++) {
    size_t count = zlib_deflate(&deflater, messages[index], size, compressed[index]);
    memcpy(compressed[index] + count, "\x00\x00\xFF\xFF", 4);
    compressed_sizes[index] = count + 4;
  }
  deflateEnd(&deflater);
  z_stream inflater = {0};
  inflateInit2(&inflater, -15);
  measure_inflate("zlib", zlib_inflate, &inflater, size);
  inflateEnd(&inflater);
  struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
  measure_inflate("libdeflate", libdeflate_inflate, decompressor, size);
  libdeflate_free_decompressor(decompressor);
  struct inflate_state *state = malloc(sizeof *state);
  isal_inflate_init(state);
  measure_inflate("ISA-L", isal_inflate_message, state, size);
  free(state);
}

int main(int count, char **arguments) {
  static const size_t sizes[] = {32, 64, 96, 128, 192, 256, 512, 1024, 4096, 16384};
  printf("zlib %s, libdeflate %s\n", zlibVersion(), LIBDEFLATE_VERSION_STRING);
  for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
    size_t size = sizes[index];
    if (count > 1 && strtoul(arguments[1], NULL, 10) != size) continue;
    for (int message = 0; message < MESSAGES; message++) fill(messages[message], size);
    all_deflaters(size);
    all_inflaters(size);
  }
  return 0;
}
