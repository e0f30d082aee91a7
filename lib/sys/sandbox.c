#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/bpf.h"
#include "sys/log.h"

/* linux/seccomp.h and linux/audit.h, of which a libc knows nothing. */
#define SECCOMP_SET_MODE_FILTER 1
#define SECCOMP_FILTER_FLAG_TSYNC 1
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW 4
#define RET_TRAP 0x00030000u
#define RET_ALLOW 0x7fff0000u
#if defined(__x86_64__)
#define ARCHITECTURE 0xc000003eu
#elif defined(__aarch64__)
#define ARCHITECTURE 0xc00000b7u
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE 0xc00000f3u
#endif

/* Of struct seccomp_data: the call's number, the machine, and the lower half of an argument. */
#define AT_NUMBER 0
#define AT_ARCHITECTURE 4
#define AT_ARGUMENT(n) (16 + 8 * (n))

void sandbox_begin(void)
{
	struct rlimit none = {0, 0};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
}

/* A sanitizer's runtime calls what it likes. */
#if !defined(ARCHITECTURE) || defined(__SANITIZE_ADDRESS__)

bool sandbox_restrict_calls(struct error *e)
{
	return error_set(e, "not for this kind of machine, or of build");
}

#else

/* Allowed whatever the arguments. Those of old machines are missing on new ones. */
static const uint16_t calls[] = {
	/* Traffic. */
	SYS_epoll_pwait,
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_writev,
	SYS_recvfrom,
	SYS_sendto,
	SYS_recvmsg,
	SYS_sendmsg,
	SYS_splice,
	SYS_accept4,
	SYS_connect,
	SYS_epoll_ctl,
	SYS_close,
	SYS_shutdown,
	SYS_setsockopt,
	SYS_getsockopt,
	SYS_getsockname,
	SYS_getpeername,
	SYS_fcntl,
	SYS_pipe2,
	SYS_getrandom,
	/* Time and threads. */
	SYS_futex,
	SYS_clock_gettime,
	SYS_gettimeofday,
	SYS_clock_nanosleep,
	SYS_nanosleep,
	SYS_sched_yield,
	SYS_ppoll,
#ifdef SYS_poll
	SYS_poll,
#endif
	SYS_restart_syscall,
	SYS_rt_sigreturn,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_gettid,
	SYS_getpid,
	SYS_tkill,
	SYS_tgkill,
	SYS_exit,
	SYS_exit_group,
	SYS_set_robust_list,
#ifdef SYS_rseq
	SYS_rseq,
#endif
	SYS_membarrier,
	/* Memory. */
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	SYS_brk,
	/* Files that are read again. */
	SYS_fstat,
	SYS_newfstatat,
	SYS_statx,
	SYS_lseek,
	SYS_getdents64,
	SYS_readlinkat,
	SYS_inotify_init1,
	SYS_inotify_add_watch,
#ifdef SYS_stat
	SYS_stat,
	SYS_lstat,
	SYS_readlink,
#endif
	SYS_getcwd,
	SYS_geteuid,
};

/* Allowed when none of the bits is in the argument; with `is`, when it is one of two values. */
static const struct rule {
	uint16_t call;
	uint8_t argument;
	bool is;
	uint32_t bits, other;
} rules[] = {
	{SYS_mmap, 2, false, PROT_EXEC, 0},
	{SYS_mprotect, 2, false, PROT_EXEC, 0},
	{SYS_openat, 2, false, O_ACCMODE | O_CREAT | O_TRUNC, 0},
#ifdef SYS_open
	{SYS_open, 1, false, O_ACCMODE | O_CREAT | O_TRUNC, 0},
#endif
	{SYS_socket, 0, true, AF_INET, AF_INET6},
	{SYS_prctl, 0, true, PR_SET_NAME, PR_SET_NAME},
};

#define CALLS (sizeof calls / sizeof calls[0])
#define RULES (sizeof rules / sizeof rules[0])
/* Machine and number; two steps per call, six per rule; the end. */
#define STEPS_MAX (4 + 2 * CALLS + 6 * RULES + 1)

struct steps {
	struct bpf_step list[STEPS_MAX];
	unsigned short count;
};

static void add(struct steps *s, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	s->list[s->count++] = (struct bpf_step){code, jt, jf, k};
}

/* After a match the number is gone from the accumulator, so each way ends in a verdict. */
static void add_rule(struct steps *s, const struct rule *rule)
{
	add(s, BPF_IF_EQUAL, 0, rule->is ? 5 : 4, rule->call);
	add(s, BPF_LOAD_WORD, 0, 0, AT_ARGUMENT(rule->argument));
	if (rule->is) {
		add(s, BPF_IF_EQUAL, 1, 0, rule->bits);
		add(s, BPF_IF_EQUAL, 0, 1, rule->other);
		add(s, BPF_RETURN, 0, 0, RET_ALLOW);
		add(s, BPF_RETURN, 0, 0, RET_TRAP);
	} else {
		add(s, BPF_IF_ANY_BIT, 0, 1, rule->bits);
		add(s, BPF_RETURN, 0, 0, RET_TRAP);
		add(s, BPF_RETURN, 0, 0, RET_ALLOW);
	}
}

static void build(struct steps *s)
{
	s->count = 0;
	add(s, BPF_LOAD_WORD, 0, 0, AT_ARCHITECTURE);
	add(s, BPF_IF_EQUAL, 1, 0, ARCHITECTURE);
	add(s, BPF_RETURN, 0, 0, RET_TRAP);
	add(s, BPF_LOAD_WORD, 0, 0, AT_NUMBER);
	for (size_t i = 0; i < CALLS; i++) {
		add(s, BPF_IF_EQUAL, 0, 1, calls[i]);
		add(s, BPF_RETURN, 0, 0, RET_ALLOW);
	}
	for (size_t i = 0; i < RULES; i++)
		add_rule(s, &rules[i]);
	add(s, BPF_RETURN, 0, 0, RET_TRAP);
}

/* The kernel did not run the call; whoever made it is not to go on. */
static void on_violation(int number, siginfo_t *info, void *unused)
{
	struct log_line line;

	(void)unused;
	log_begin(&line, LOG_ERROR, "system call refused by the sandbox");
	log_u64(&line, "call", (uint64_t)info->si_syscall);
	log_end(&line);
	/* The handler is gone (SA_RESETHAND): this ends the process. */
	raise(number);
}

static bool install(const struct steps *s)
{
	struct bpf_program program = {s->count, s->list};

	/* Without the second flag some kernels slow down all that the filtered threads do. */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		       SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0 ||
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) ==
		       0;
}

bool sandbox_restrict_calls(struct error *e)
{
	struct sigaction action = {.sa_sigaction = on_violation,
				   .sa_flags = SA_SIGINFO | (int)SA_RESETHAND | SA_NODEFER};
	struct steps steps;

	build(&steps);
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGSYS, &action, NULL) == 0 && install(&steps))
		return true;
	return error_set_sys(e, "cannot restrict system calls");
}

#endif
