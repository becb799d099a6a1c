/* SPDX-License-Identifier: MIT */
/*
 * error - names and texts of errors, from one list
 *
 * The texts are ours: what an error means in this library first, the words
 * people know from elsewhere for the rest.  strerror(3) would do neither that nor be safe to call
 * from every thread, and its words depend on the locale.
 */
#include <errno.h>
#include <hocket/base.h>

/* clang-format off */
#define ERRORS(X)                                                 \
    /* those the library itself gives a meaning */                \
    X(ETIMEDOUT,    "the deadline passed")                        \
    X(ECANCELED,    "cancelled")                                  \
    X(EPIPE,        "closed")                                     \
    X(EAGAIN,       "not now")                                    \
    X(EDEADLK,      "would wait for itself")                      \
    X(EOVERFLOW,    "beyond a bound")                             \
    X(EPERM,        "not permitted")                              \
    X(ENOMEM,       "out of memory")                              \
    X(EINVAL,       "invalid argument")                           \
    X(EOWNERDEAD,   "the holder's process died")                  \
    X(EBUSY,        "in use")                                     \
    X(EALREADY,     "done already")                               \
    X(ENOSYS,       "not available")                              \
    X(ENOENT,       "no such file or entry")                      \
    /* those that come from the system */                         \
    X(ESRCH,        "no such process")                            \
    X(EINTR,        "interrupted")                                \
    X(EIO,          "input/output error")                         \
    X(ENXIO,        "no such device or address")                  \
    X(E2BIG,        "argument list too long")                     \
    X(ENOEXEC,      "not a program")                              \
    X(EBADF,        "bad file descriptor")                        \
    X(ECHILD,       "no child processes")                         \
    X(EACCES,       "permission denied")                          \
    X(EFAULT,       "bad address")                                \
    X(ENOTBLK,      "not a block device")                         \
    X(EEXIST,       "exists already")                             \
    X(EXDEV,        "across file systems")                        \
    X(ENODEV,       "no such device")                             \
    X(ENOTDIR,      "not a directory")                            \
    X(EISDIR,       "is a directory")                             \
    X(ENFILE,       "too many open files in the system")          \
    X(EMFILE,       "too many open files")                        \
    X(ENOTTY,       "not a terminal or wrong request")            \
    X(ETXTBSY,      "program file in use")                        \
    X(EFBIG,        "file too large")                             \
    X(ENOSPC,       "no space left")                              \
    X(ESPIPE,       "cannot seek")                                \
    X(EROFS,        "read-only file system")                      \
    X(EMLINK,       "too many links")                             \
    X(EDOM,         "argument out of domain")                     \
    X(ERANGE,       "result out of range")                        \
    X(ENAMETOOLONG, "name too long")                              \
    X(ENOLCK,       "no locks available")                         \
    X(ENOTEMPTY,    "directory not empty")                        \
    X(ELOOP,        "too many symbolic links")                    \
    X(ENOMSG,       "no such message")                            \
    X(EIDRM,        "identifier removed")                         \
    X(ENODATA,      "no data")                                    \
    X(ETIME,        "timer expired")                              \
    X(EREMOTE,      "object is remote")                           \
    X(ENOLINK,      "link severed")                               \
    X(EPROTO,       "protocol error")                             \
    X(EBADMSG,      "bad message")                                \
    X(EILSEQ,       "invalid byte sequence")                      \
    X(EUSERS,       "too many users")                             \
    X(ENOTSOCK,     "not a socket")                               \
    X(EDESTADDRREQ, "destination address required")               \
    X(EMSGSIZE,     "message too long")                           \
    X(EPROTOTYPE,   "wrong protocol for this socket")             \
    X(ENOPROTOOPT,  "no such protocol option")                    \
    X(EPROTONOSUPPORT, "protocol not supported")                  \
    X(ESOCKTNOSUPPORT, "socket type not supported")               \
    X(EOPNOTSUPP,   "not supported")                              \
    X(EPFNOSUPPORT, "protocol family not supported")              \
    X(EAFNOSUPPORT, "address family not supported")               \
    X(EADDRINUSE,   "address in use")                             \
    X(EADDRNOTAVAIL, "address not available")                     \
    X(ENETDOWN,     "network is down")                            \
    X(ENETUNREACH,  "network unreachable")                        \
    X(ENETRESET,    "connection dropped by the network")          \
    X(ECONNABORTED, "connection aborted")                         \
    X(ECONNRESET,   "connection reset by the peer")               \
    X(ENOBUFS,      "no buffer space")                            \
    X(EISCONN,      "already connected")                          \
    X(ENOTCONN,     "not connected")                              \
    X(ESHUTDOWN,    "shut down")                                  \
    X(ECONNREFUSED, "connection refused")                         \
    X(EHOSTDOWN,    "host is down")                               \
    X(EHOSTUNREACH, "host unreachable")                           \
    X(EINPROGRESS,  "in progress")                                \
    X(ESTALE,       "stale file handle")                          \
    X(EUCLEAN,      "damaged structure")                          \
    X(EREMOTEIO,    "remote input/output error")                  \
    X(EDQUOT,       "quota exceeded")                             \
    X(ENOMEDIUM,    "no medium")                                  \
    X(EMEDIUMTYPE,  "wrong medium type")                          \
    X(ENOTRECOVERABLE, "state not recoverable")
/* clang-format on */

struct words {
    const char *name;
    const char *text;
};

#define ROW(code, text) [code] = { #code, text },
static const struct words words[] = { ERRORS(ROW) };

static const struct words *find(int error)
{
    enum { COUNT = sizeof words / sizeof words[0] };
    if (error >= 0 || error <= -COUNT || words[-error].name == NULL)
        return NULL;
    return &words[-error];
}

const char *hocket_error_name(int error)
{
    const struct words *w = find(error);
    return w != NULL ? w->name : error == 0 ? "OK" : "?";
}

const char *hocket_error_text(int error)
{
    const struct words *w = find(error);
    return w != NULL ? w->text : error == 0 ? "success" : "unknown error";
}
