/*
 * All of weft's core: tasks, scopes, deadlines, waiting, streams, files. Include this one.
 *
 *     #include <weft/weft.h>
 *
 *     static int hello(const char *name)
 *     {
 *         int rc = wf_sleep(WF_SECONDS(1));
 *         if (rc < 0) return rc;
 *         printf("Hello, %s!\n", name);
 *         return 0;
 *     }
 *
 *     int main(void)
 *     {
 *         return wf_main(hello, "world");
 *     }
 */
#ifndef WEFT_WEFT_H
#define WEFT_WEFT_H

#include <weft/address.h>
#include <weft/arena.h>
#include <weft/background.h>
#include <weft/base.h>
#include <weft/breaker.h>
#include <weft/bridge.h>
#include <weft/bulkhead.h>
#include <weft/cache.h>
#include <weft/channel.h>
#include <weft/context.h>
#include <weft/cxx.h>
#include <weft/dump.h>
#include <weft/embed.h>
#include <weft/executor.h>
#include <weft/file.h>
#include <weft/generator.h>
#include <weft/group.h>
#include <weft/hedge.h>
#include <weft/interfaces.h>
#include <weft/iterate.h>
#include <weft/log.h>
#include <weft/loops.h>
#include <weft/metrics.h>
#include <weft/names.h>
#include <weft/path.h>
#include <weft/pipeline.h>
#include <weft/pool.h>
#include <weft/process.h>
#include <weft/process_pool.h>
#include <weft/rate.h>
#include <weft/reader.h>
#include <weft/record.h>
#include <weft/retry.h>
#include <weft/run.h>
#include <weft/scope.h>
#include <weft/select.h>
#include <weft/serve.h>
#include <weft/service.h>
#include <weft/shared.h>
#include <weft/signal.h>
#include <weft/socket.h>
#include <weft/stream.h>
#include <weft/sync.h>
#include <weft/task.h>
#include <weft/tcp.h>
#include <weft/temporary.h>
#include <weft/time.h>
#include <weft/token.h>
#include <weft/tty.h>
#include <weft/udp.h>
#include <weft/unix.h>
#include <weft/waker.h>
#include <weft/watch.h>
#include <weft/writer.h>

#endif
