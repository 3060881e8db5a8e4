// io_uring: its system calls, the words that both sides of a ring read and write, and one function for each kind of
// request. What the kernel's headers of the distribution do not have yet is defined here.
#pragma once
#include <errno.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline long clinux_uring_result(long result) { return result < 0 ? -(long)errno : result; }

// MARK: system calls

static const uint32_t clinux_URING_SETUP = IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER |
                                           IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
                                           IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL;
static const uint32_t clinux_URING_FEATURES = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG |
                                              IORING_FEAT_CQE_SKIP;

static inline int clinux_uring_setup(uint32_t entries, uint32_t completions, struct io_uring_params *parameters) {
  memset(parameters, 0, sizeof *parameters);
  parameters->flags = clinux_URING_SETUP;
  parameters->cq_entries = completions;
  return (int)clinux_uring_result(syscall(SYS_io_uring_setup, entries, parameters));
}

// Makes the calling thread the one that uses the ring.
static inline int clinux_uring_enable(int ring) {
  return (int)clinux_uring_result(syscall(SYS_io_uring_register, ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0));
}

// Submits, and with `events` also lets the kernel finish what is due: waits for `minimum` completions, at most
// `timeout_ns`, or without end if that is negative.
static inline int clinux_uring_enter(int ring, uint32_t count, uint32_t minimum, int events, int64_t timeout_ns) {
  struct __kernel_timespec time = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
  struct io_uring_getevents_arg argument = {.ts = timeout_ns < 0 ? 0 : (uint64_t)(uintptr_t)&time};
  uint32_t flags = events ? IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG : 0;
  return (int)clinux_uring_result(
      syscall(SYS_io_uring_enter, ring, count, minimum, flags, events ? &argument : NULL, events ? sizeof argument : 0));
}

// Pages shared with the kernel, or zeroed ones if `ring` is negative; NULL if there are none.
static inline void *clinux_uring_map(int ring, size_t count, uint64_t offset) {
  void *memory = mmap(NULL, count, PROT_READ | PROT_WRITE,
                      ring < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED | MAP_POPULATE, ring, (off_t)offset);
  return memory == MAP_FAILED ? NULL : memory;
}
static inline void clinux_uring_unmap(void *memory, size_t count) { (void)munmap(memory, count); }

// struct io_uring_buf_reg, whose `flags` are new in Linux 6.10.
struct clinux_buffer_registration {
  uint64_t address;
  uint32_t entries;
  uint16_t group;
  uint16_t flags;
  uint64_t reserved[3];
};
// Linux 6.12: a receive takes as much of a buffer as it has bytes, and the next one goes on behind it.
static const uint16_t clinux_BUFFERS_INCREMENTAL = 2;

static inline int clinux_uring_register_buffers(int ring, void *address, uint32_t entries, uint16_t flags) {
  struct clinux_buffer_registration registration = {
      .address = (uint64_t)(uintptr_t)address, .entries = entries, .flags = flags};
  return (int)clinux_uring_result(
      syscall(SYS_io_uring_register, ring, IORING_REGISTER_PBUF_RING, &registration, 1));
}

// MARK: shared words

static inline uint32_t clinux_load(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline void clinux_store(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
static inline void clinux_publish_buffers(void *ring, uint16_t tail) {
  __atomic_store_n(&((struct io_uring_buf_ring *)ring)->tail, tail, __ATOMIC_RELEASE);
}

static const uint32_t clinux_SQ_OVERFLOWN = IORING_SQ_CQ_OVERFLOW, clinux_SQ_WORK = IORING_SQ_TASKRUN;
static const uint64_t clinux_RINGS = IORING_OFF_SQ_RING, clinux_REQUESTS = IORING_OFF_SQES;

// struct io_uring_cqe without its flexible end.
struct clinux_completion {
  uint64_t name;
  int32_t result;
  uint32_t flags;
};
static const uint32_t clinux_CQE_BUFFER = IORING_CQE_F_BUFFER, clinux_CQE_MORE = IORING_CQE_F_MORE,
                      clinux_CQE_BUFFER_SHIFT = IORING_CQE_BUFFER_SHIFT,
                      clinux_CQE_BUFFER_GOES_ON = 1u << 4;  // Linux 6.12: IORING_CQE_F_BUF_MORE

// MARK: requests

static inline void clinux_request(struct io_uring_sqe *sqe, uint8_t operation, int fd, uint64_t name) {
  memset(sqe, 0, sizeof *sqe);
  sqe->opcode = operation;
  sqe->fd = fd;
  sqe->user_data = name;
}

// Done when it has been submitted: it never waits, and only what is less than success is told.
static inline void clinux_request_send(struct io_uring_sqe *sqe, int fd, const void *bytes, uint32_t count,
                                       uint64_t name) {
  clinux_request(sqe, IORING_OP_SEND, fd, name);
  sqe->flags = IOSQE_CQE_SKIP_SUCCESS;
  sqe->addr = (uint64_t)(uintptr_t)bytes;
  sqe->len = count;
  sqe->msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL;
}

static inline void clinux_request_receive(struct io_uring_sqe *sqe, int fd, uint64_t name) {
  clinux_request(sqe, IORING_OP_RECV, fd, name);
  sqe->flags = IOSQE_BUFFER_SELECT;
  sqe->ioprio = IORING_RECV_MULTISHOT;
}

static inline void clinux_request_accept(struct io_uring_sqe *sqe, int fd, uint64_t name) {
  clinux_request(sqe, IORING_OP_ACCEPT, fd, name);
  sqe->ioprio = IORING_ACCEPT_MULTISHOT;
  sqe->accept_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
}

static inline void clinux_request_poll(struct io_uring_sqe *sqe, int fd, uint32_t events, int multishot,
                                       uint64_t name) {
  clinux_request(sqe, IORING_OP_POLL_ADD, fd, name);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  events = events << 16 | events >> 16;
#endif
  sqe->poll32_events = events;
  sqe->len = multishot ? IORING_POLL_ADD_MULTI : 0;
}

static inline void clinux_request_cancel(struct io_uring_sqe *sqe, uint64_t cancelled, uint64_t name) {
  clinux_request(sqe, IORING_OP_ASYNC_CANCEL, -1, name);
  sqe->flags = IOSQE_CQE_SKIP_SUCCESS;
  sqe->addr = cancelled;
}

static const uint32_t clinux_POLLIN = POLLIN, clinux_POLLOUT = POLLOUT, clinux_POLLERR = POLLERR,
                      clinux_POLLRDHUP = EPOLLRDHUP;  // <poll.h> has it with _GNU_SOURCE only
