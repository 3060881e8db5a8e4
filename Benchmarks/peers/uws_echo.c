// uWebSockets through the C interface of libsocketify: echoes, or sends each message to everybody.
//
//   uws_echo PORT echo|broadcast none|shared|dedicated [CERTIFICATE KEY]
//
// The declarations are those of the library's interface that this program calls; the archive on PyPI carries no header of
// uWebSockets.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct uws_app_s uws_app;
typedef struct uws_websocket_s uws_websocket;
struct us_listen_socket_t;

struct us_socket_context_options_t {
  const char *key_file_name, *cert_file_name, *passphrase, *dh_params_file_name, *ca_file_name, *ssl_ciphers;
  int ssl_prefer_low_memory_usage;
};

enum { disabled = 0, shared = 1 | 1 << 8, dedicated = (15 << 4 | 8) | 15 << 8 };

typedef struct {
  int compression;
  unsigned int max_payload_length;
  unsigned short idle_timeout;
  unsigned int max_backpressure;
  bool close_on_backpressure_limit, reset_idle_timeout_on_send, send_pings_automatically;
  unsigned short max_lifetime;
  void *upgrade;
  void (*open)(uws_websocket *, void *);
  void (*message)(uws_websocket *, const char *, size_t, int, void *);
  void *drain, *ping, *pong, *close, *subscription;
} uws_behavior;

typedef struct {
  int port;
  const char *host;
  int options;
} uws_listen_config;

uws_app *uws_create_app(int ssl, struct us_socket_context_options_t);
void uws_ws(int ssl, uws_app *, const char *pattern, uws_behavior, void *data);
void uws_app_listen_with_config(
    int ssl, uws_app *, uws_listen_config,
    void (*)(struct us_listen_socket_t *, uws_listen_config, void *), void *data);
void uws_app_run(int ssl, uws_app *);
bool uws_constructor_failed(int ssl, uws_app *);
bool uws_publish(
    int ssl, uws_app *, const char *topic, size_t topic_length, const char *, size_t, int opcode, bool compress);
int uws_ws_send_with_options(int ssl, uws_websocket *, const char *, size_t, int opcode, bool compress, bool fin);
bool uws_ws_subscribe(int ssl, uws_websocket *, const char *topic, size_t length);

static int tls;
static bool compresses;
static uws_app *app;

static void subscribe(uws_websocket *socket, void *data) {
  (void)data;
  uws_ws_subscribe(tls, socket, "all", 3);
}

static void echo(uws_websocket *socket, const char *bytes, size_t count, int opcode, void *data) {
  (void)data;
  uws_ws_send_with_options(tls, socket, bytes, count, opcode, compresses, true);
}

static void broadcast(uws_websocket *socket, const char *bytes, size_t count, int opcode, void *data) {
  (void)socket, (void)data;
  uws_publish(tls, app, "all", 3, bytes, count, opcode, compresses);
}

static void listening(struct us_listen_socket_t *socket, uws_listen_config config, void *data) {
  (void)data;
  if (!socket) {
    fprintf(stderr, "cannot listen on port %d\n", config.port);
    exit(1);
  }
  printf("listening on %s://127.0.0.1:%d\n", tls ? "wss" : "ws", config.port);
  fflush(stdout);
}

int main(int count, char **words) {
  if (count != 4 && count != 6) return 2;
  bool everybody = !strcmp(words[2], "broadcast");
  int compression = !strcmp(words[3], "shared") ? shared : !strcmp(words[3], "dedicated") ? dedicated : disabled;
  compresses = compression != disabled;
  tls = count == 6;
  struct us_socket_context_options_t options = {0};
  if (tls) options.cert_file_name = words[4], options.key_file_name = words[5];
  app = uws_create_app(tls, options);
  if (!app || uws_constructor_failed(tls, app)) {
    fprintf(stderr, "uWebSockets did not start\n");
    return 1;
  }
  uws_behavior behavior = {
      .compression = compression,
      .max_payload_length = 16 << 20,
      .idle_timeout = 960,
      .max_backpressure = 64 << 20,
      .send_pings_automatically = true,
      .open = everybody ? subscribe : NULL,
      .message = everybody ? broadcast : echo,
  };
  uws_ws(tls, app, "/*", behavior, NULL);
  uws_listen_config config = {.port = atoi(words[1]), .host = "127.0.0.1"};
  uws_app_listen_with_config(tls, app, config, listening, NULL);
  uws_app_run(tls, app);
  return 0;
}
