/*
 * What another process, a debugger or a core file's reader must know of the library's structs. This list is the only
 * place: the registry's table is made from it, under the names that stand here, and readers look fields up by name, so
 * that neither a reader of another version nor a script can disagree with it in silence.
 *
 *     STRUCT(name, type)           its size
 *     FIELD(name, type, member)    offset and size of a member, as "name.member"
 *     NUMBER(name)                 an enumerator
 *
 * A field that changes its meaning, not its place, needs a new REGISTRY_VERSION.
 */
#ifndef WEFT_CORE_LAYOUT_H
#define WEFT_CORE_LAYOUT_H

#define LAYOUT(STRUCT, FIELD, NUMBER)                                                                                  \
    STRUCT(loop, struct loop)                                                                                          \
    FIELD(loop, struct loop, running)                                                                                  \
    FIELD(loop, struct loop, runnable)                                                                                 \
    FIELD(loop, struct loop, runs_given)                                                                               \
    FIELD(loop, struct loop, runs_left)                                                                                \
    FIELD(loop, struct loop, now)                                                                                      \
    FIELD(loop, struct loop, thread)                                                                                   \
    FIELD(loop, struct loop, chunks)                                                                                   \
    FIELD(loop, struct loop, alive)                                                                                    \
    FIELD(loop, struct loop, spawned)                                                                                  \
    FIELD(loop, struct loop, passes)                                                                                   \
    FIELD(loop, struct loop, driver)                                                                                   \
    FIELD(loop, struct loop, pending_ops)                                                                              \
    FIELD(loop, struct loop, pending_jobs)                                                                             \
    FIELD(loop, struct loop, sleeping)                                                                                 \
    FIELD(loop, struct loop, wakers)                                                                                   \
    FIELD(loop, struct loop, timers.armed)                                                                             \
    FIELD(loop, struct loop, timers.next)                                                                              \
    FIELD(loop, struct loop, root)                                                                                     \
    FIELD(driver, struct driver, name)                                                                                 \
    FIELD(driver, struct driver, simulated)                                                                            \
    STRUCT(chunk, struct task_chunk)                                                                                   \
    FIELD(chunk, struct task_chunk, older)                                                                             \
    FIELD(chunk, struct task_chunk, tasks)                                                                             \
    STRUCT(task, struct wf_task)                                                                                       \
    FIELD(task, struct wf_task, sp)                                                                                    \
    FIELD(task, struct wf_task, stack)                                                                                 \
    FIELD(task, struct wf_task, current)                                                                               \
    FIELD(task, struct wf_task, wait)                                                                                  \
    FIELD(task, struct wf_task, node)                                                                                  \
    FIELD(task, struct wf_task, fn)                                                                                    \
    FIELD(task, struct wf_task, name)                                                                                  \
    FIELD(task, struct wf_task, place)                                                                                 \
    FIELD(task, struct wf_task, id)                                                                                    \
    FIELD(task, struct wf_task, resumes)                                                                               \
    FIELD(task, struct wf_task, since)                                                                                 \
    FIELD(task, struct wf_task, flags)                                                                                 \
    FIELD(task, struct wf_task, sleep_timer.deadline)                                                                  \
    FIELD(node, struct wf_node_, parent)                                                                               \
    FIELD(node, struct wf_node_, reason)                                                                               \
    FIELD(node, struct wf_node_, flags)                                                                                \
    STRUCT(scope, struct wf_scope)                                                                                     \
    FIELD(scope, struct wf_scope, node_)                                                                               \
    FIELD(scope, struct wf_scope, loop_)                                                                               \
    FIELD(scope, struct wf_scope, owner_)                                                                              \
    FIELD(scope, struct wf_scope, name_)                                                                               \
    FIELD(scope, struct wf_scope, place_)                                                                              \
    FIELD(scope, struct wf_scope, timer_.deadline)                                                                     \
    FIELD(scope, struct wf_scope, alive_)                                                                              \
    FIELD(scope, struct wf_scope, daemons_)                                                                            \
    FIELD(scope, struct wf_scope, limit_)                                                                              \
    FIELD(scope, struct wf_scope, state_)                                                                              \
    STRUCT(reason, struct wf_reason)                                                                                   \
    FIELD(reason, struct wf_reason, text)                                                                              \
    FIELD(reason, struct wf_reason, place)                                                                             \
    FIELD(reason, struct wf_reason, task)                                                                              \
    STRUCT(wait, struct wf_wait)                                                                                       \
    FIELD(wait, struct wf_wait, task)                                                                                  \
    FIELD(wait, struct wf_wait, class)                                                                                 \
    FIELD(wait, struct wf_wait, object)                                                                                \
    FIELD(class, struct wait_class, name)                                                                              \
    FIELD(class, struct wait_class, idle)                                                                              \
    FIELD(class, struct wait_class, operation)                                                                         \
    STRUCT(op, struct op)                                                                                              \
    FIELD(op, struct op, desc)                                                                                         \
    FIELD(op, struct op, fd)                                                                                           \
    FIELD(op, struct op, path)                                                                                         \
    FIELD(desc, struct desc, fd)                                                                                       \
    FIELD(stack, struct stack, low)                                                                                    \
    FIELD(stack, struct stack, size)                                                                                   \
    STRUCT(metric, struct wf_metric)                                                                                   \
    STRUCT(series, struct wf_series_)                                                                                  \
    FIELD(registry, struct registry, metrics)                                                                          \
    FIELD(metrics, struct registry_metrics, first)                                                                     \
    FIELD(metrics, struct registry_metrics, shared_cells)                                                              \
    FIELD(metrics, struct registry_metrics, blocks)                                                                    \
    FIELD(metrics, struct registry_metrics, cells_max)                                                                 \
    FIELD(metric, struct wf_metric, kind_)                                                                             \
    FIELD(metric, struct wf_metric, name)                                                                              \
    FIELD(metric, struct wf_metric, labels)                                                                            \
    FIELD(metric, struct wf_metric, seconds)                                                                           \
    FIELD(metric, struct wf_metric, next_)                                                                             \
    FIELD(metric, struct wf_metric, series_)                                                                           \
    FIELD(metric, struct wf_metric, label_count_)                                                                      \
    FIELD(metric, struct wf_metric, bucket_count_)                                                                     \
    FIELD(series, struct wf_series_, cell)                                                                             \
    FIELD(series, struct wf_series_, next)                                                                             \
    FIELD(series, struct wf_series_, values)                                                                           \
    NUMBER(CHUNK_TASKS)                                                                                                \
    NUMBER(NODE_CANCELLED)                                                                                             \
    NUMBER(NODE_REQUESTED)                                                                                             \
    NUMBER(NODE_SHIELD)                                                                                                \
    NUMBER(NODE_TASK)                                                                                                  \
    NUMBER(TASK_DAEMON)                                                                                                \
    NUMBER(TASK_ENDED)                                                                                                 \
    NUMBER(TASK_OWNS_NAME)                                                                                             \
    NUMBER(SCOPE_OPEN)                                                                                                 \
    NUMBER(SCOPE_ENDING)

#endif
