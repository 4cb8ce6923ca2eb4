// SPDX-License-Identifier: MIT
// Which programs seccomp takes: size, instructions, jumps, loads of what was stored; and what they
// compute, against an interpreter of its own, by thousands of random ones.
// covers: seccomp
#include "filter.h"
#include <stdbool.h>

#define MEM(op, k) BPF_STMT(op, k)

static long try(const struct sock_filter *code, size_t n)
{
    int status;
    pid_t pid = OK(fork());
    if (!pid) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        _exit(filter(code, n, 0) ? errno : 0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}
#define TRY(...)                                                                                   \
    ({                                                                                             \
        const struct sock_filter code_[] = {__VA_ARGS__};                                          \
        try(code_, sizeof code_ / sizeof code_[0]);                                                \
    })

static const struct sock_filter allow = SAY(SECCOMP_RET_ALLOW);

static void checks(void)
{
    const struct sock_filter m3 = MEM(BPF_LD | BPF_MEM, 3), st3 = MEM(BPF_ST, 3);

    CHECK_EQ(TRY(allow), 0);
    CHECK_EQ(TRY(MEM(BPF_LD | BPF_IMM, 1)), EINVAL); // does not return
    CHECK_EQ(TRY(allow, MEM(BPF_LD | BPF_IMM, 1)), EINVAL);
    CHECK_EQ(TRY(BPF_STMT(BPF_RET | BPF_X, 0)), EINVAL);
    CHECK_EQ(TRY(MEM(BPF_LD | BPF_IMM, SECCOMP_RET_ALLOW), BPF_STMT(BPF_RET | BPF_A, 0)), 0);
    // Loads.
    CHECK_EQ(TRY(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 60), allow), 0);
    CHECK_EQ(TRY(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), allow), EINVAL);
    CHECK_EQ(TRY(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), allow), EINVAL);
    CHECK_EQ(TRY(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, -4), allow), EINVAL);
    CHECK_EQ(TRY(BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), allow), EINVAL);
    CHECK_EQ(TRY(BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), allow), EINVAL);
    CHECK_EQ(TRY(BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), allow), EINVAL);
    CHECK_EQ(TRY(BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), allow), EINVAL);
    CHECK_EQ(TRY(BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), allow), 0);
    CHECK_EQ(TRY(BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0), allow), 0);
    CHECK_EQ(TRY(BPF_STMT(BPF_LDX | BPF_W | BPF_ABS, 0), allow), EINVAL);
    // What is read of M[] was written, on every way.
    CHECK_EQ(TRY(m3, allow), EINVAL);
    CHECK_EQ(TRY(st3, m3, allow), 0);
    CHECK_EQ(TRY(MEM(BPF_STX, 3), MEM(BPF_LDX | BPF_MEM, 3), allow), 0);
    CHECK_EQ(TRY(MEM(BPF_ST, 2), m3, allow), EINVAL);
    CHECK_EQ(TRY(MEM(BPF_ST, 16), allow), EINVAL);
    CHECK_EQ(TRY(MEM(BPF_LD | BPF_MEM, 16), allow), EINVAL);
    CHECK_EQ(TRY(UNLESS(1, 1), st3, m3, allow), EINVAL);
    CHECK_EQ(TRY(UNLESS(1, 2), st3, BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), st3, m3, allow), 0);
    CHECK_EQ(TRY(BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), allow, m3, allow), EINVAL);
    CHECK_EQ(TRY(st3, BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), allow, m3, allow), 0);
    CHECK_EQ(TRY(allow, m3, allow), EINVAL);
    // Jumps.
    CHECK_EQ(TRY(BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0), allow), 0);
    CHECK_EQ(TRY(BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), allow), EINVAL);
    CHECK_EQ(TRY(BPF_JUMP(BPF_JMP | BPF_JA, -1, 0, 0), allow), EINVAL);
    CHECK_EQ(TRY(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), allow), EINVAL);
    CHECK_EQ(TRY(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_X, 0, 0, 1), allow), EINVAL);
    CHECK_EQ(TRY(BPF_JUMP(BPF_JMP | 0xa0, 0, 0, 0), allow), EINVAL); // eBPF's
    // Arithmetic.
    CHECK_EQ(TRY(OP(BPF_ALU | BPF_DIV | BPF_K, 0), allow), EINVAL);
    CHECK_EQ(TRY(MEM(BPF_LDX | BPF_IMM, 1), OP(BPF_ALU | BPF_DIV | BPF_X, 0), allow), 0);
    CHECK_EQ(TRY(OP(BPF_ALU | BPF_MOD | BPF_K, 1), allow), EINVAL);
    CHECK_EQ(TRY(OP(BPF_ALU | BPF_LSH | BPF_K, 31), allow), 0);
    CHECK_EQ(TRY(OP(BPF_ALU | BPF_LSH | BPF_K, 32), allow), EINVAL);
    CHECK_EQ(TRY(OP(BPF_ALU | BPF_RSH | BPF_K, 32), allow), EINVAL);
    CHECK_EQ(TRY(OP(0xffff, 0), allow), EINVAL);
}

static void sizes(void)
{
    static struct sock_filter many[65535];
    struct sock_fprog nowhere = {1, (void *)8};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++)
        many[i] = allow;
    CHECK_ERR(filter(many, 0, 0), EINVAL);
    CHECK_ERR(filter(many, 4097, 0), EINVAL);
    CHECK_ERR(filter(many, 65535, 0), EINVAL);
    CHECK_ERR(filter((void *)8, 1, 0), EFAULT);
    CHECK_ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL), EFAULT);
    CHECK_ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &nowhere), EFAULT);
    CHECK_ERR(filter(many, 0, 0x80), EINVAL);
    CHECK_ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, many), EINVAL);
    CHECK_ERR(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, NULL), EFAULT);
    CHECK_ERR(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, many), EINVAL);
    u32 unknown = 0x12340000, trap = SECCOMP_RET_TRAP;
    CHECK_ERR(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &unknown), EOPNOTSUPP);
    OK(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &trap));
    // 4096 at most, and not without end.
    int n = 0;
    while (!filter(many, 4096, 0))
        n++;
    CHECK_EQ(errno, ENOMEM);
    CHECK(n >= 3 && n <= 8);
}

// ---- What they compute ----

static u32 seed;
static u32 any(u32 below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

static u32 value(void)
{
    static const u32 often[] = {0, 1, 2, 31, 32, 33, 0x7fffffff, 0x80000000, 0xffffffff};
    return any(2) ? often[any(9)] : any(1 << 24) * 255 + any(256);
}

// Straight on, in and out of all 16 words; a division that may be by zero is rare.
static size_t make(struct sock_filter *code, size_t n)
{
    static const uint16_t ops[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_AND,
                                   BPF_OR,  BPF_XOR, BPF_LSH, BPF_RSH, BPF_NEG};
    static const uint16_t jumps[] = {BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
    size_t at = 0;
    for (u32 i = 0; i < 16; i++) {
        code[at++] = (struct sock_filter)OP(i % 3 ? BPF_LD | BPF_IMM : BPF_LDX | BPF_IMM, value());
        code[at++] = (struct sock_filter)OP(i % 2 ? BPF_ST : BPF_STX, i);
    }
    while (at < n - 20) {
        u32 k = value();
        uint16_t op;
        switch (any(8)) {
        case 0:
            code[at++] =
                (struct sock_filter)OP(any(2) ? BPF_LD | BPF_MEM : BPF_LDX | BPF_MEM, any(16));
            break;
        case 1:
            code[at++] = (struct sock_filter)OP(any(2) ? BPF_ST : BPF_STX, any(16));
            break;
        case 2:
            code[at++] =
                (struct sock_filter)OP(any(2) ? BPF_MISC | BPF_TAX : BPF_MISC | BPF_TXA, 0);
            break;
        case 3:
            code[at++] = (struct sock_filter)OP(BPF_LD | BPF_W | BPF_ABS, 16 + 4 * any(12)); // args
            break;
        case 4:
            code[at++] =
                (struct sock_filter)BPF_JUMP(BPF_JMP | jumps[any(4)] | (any(2) ? BPF_X : BPF_K), k,
                                             (unsigned char)any(8), (unsigned char)any(8));
            break;
        case 5:
            code[at++] =
                (struct sock_filter)OP(any(2) ? BPF_LD | BPF_W | BPF_LEN : BPF_LDX | BPF_IMM, k);
            break;
        default:
            op = ops[any(10)];
            if (op == BPF_DIV && any(4))
                op = BPF_ADD;
            if (op == BPF_NEG || any(2))
                code[at++] =
                    (struct sock_filter)OP(BPF_ALU | op | (op == BPF_NEG ? BPF_K : BPF_X), 0);
            else
                code[at++] =
                    (struct sock_filter)OP(BPF_ALU | op, op == BPF_LSH || op == BPF_RSH ? k % 32
                                                         : op == BPF_DIV && !k          ? 7
                                                                                        : k);
        }
    }
    while (at < n - 2)
        code[at++] = (struct sock_filter)OP(BPF_MISC | BPF_TAX, 0);
    code[at++] = (struct sock_filter)OP(BPF_ST, 0);
    return at;
}

// By the words of the manual of classic BPF: pc, not pointer; 64-bit where 32 could overflow.
static bool reckon(const struct sock_filter *code, size_t n, const struct seccomp_data *d,
                   u32 *result)
{
    uint64_t a = 0, x = 0, m[16] = {0};
    for (size_t pc = 0; pc < n; pc++) {
        const struct sock_filter i = code[pc];
        const uint64_t with = i.code & BPF_X ? x : i.k;
        switch (i.code) {
        case BPF_LD | BPF_IMM:
            a = i.k;
            continue;
        case BPF_LDX | BPF_IMM:
            x = i.k;
            continue;
        case BPF_LD | BPF_W | BPF_LEN:
            a = 64;
            continue;
        case BPF_LD | BPF_W | BPF_ABS:
            a = ((const u32 *)d)[i.k / 4];
            continue;
        case BPF_LD | BPF_MEM:
            a = m[i.k];
            continue;
        case BPF_LDX | BPF_MEM:
            x = m[i.k];
            continue;
        case BPF_ST:
            m[i.k] = a;
            continue;
        case BPF_STX:
            m[i.k] = x;
            continue;
        case BPF_MISC | BPF_TAX:
            x = a;
            continue;
        case BPF_MISC | BPF_TXA:
            a = x;
            continue;
        }
        if (BPF_CLASS(i.code) == BPF_JMP) {
            uint16_t op = BPF_OP(i.code);
            bool is = op == BPF_JEQ   ? a == with
                      : op == BPF_JGT ? a > with
                      : op == BPF_JGE ? a >= with
                                      : (a & with) != 0;
            pc += is ? i.jt : i.jf;
            continue;
        }
        uint16_t op = BPF_OP(i.code);
        if (op == BPF_DIV && !with)
            return false;
        a = op == BPF_ADD   ? a + with
            : op == BPF_SUB ? a - with
            : op == BPF_MUL ? a * with
            : op == BPF_DIV ? a / with
            : op == BPF_AND ? (a & with)
            : op == BPF_OR  ? (a | with)
            : op == BPF_XOR ? a ^ with
            : op == BPF_LSH ? a << (with & 31)
            : op == BPF_RSH ? a >> (with & 31)
                            : -a;
        a = (u32)a;
    }
    *result = (u32)m[0];
    return true;
}

// The word that it leaves, 8 bits at a time, as errno of a call whose last argument says which.
static void computed(void)
{
    enum { SIZE = 120 };
    static struct sock_filter code[SIZE + 16];
    for (int round = 0; round < 400; round++) {
        size_t n = make(code, SIZE);
        const struct seccomp_data d = {
            .nr = 987,
            .arch = AUDIT_ARCH_X86_64,
            .args = {seed, value(), (u64)value() << 32 | value(), 0, 5, 6}};
        struct sock_filter *end = code + n;
        const struct sock_filter tail[] = {
            OP(BPF_LD | BPF_MEM, 0), OP(BPF_ALU | BPF_RSH | BPF_K, 0),
            OP(BPF_ALU | BPF_AND | BPF_K, 0xff),
            OP(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO | 0x100), OP(BPF_RET | BPF_A, 0)};
        u32 expected, got = 0;
        bool divides = reckon(code, n, &d, &expected);
        int fds[2];
        OK(pipe(fds));
        pid_t pid = OK(fork());
        if (!pid) {
            struct rlimit none = {0, 0};
            setrlimit(RLIMIT_CORE, &none);
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            // Only for that call. Filters for one byte each, of which the newest speaks.
            for (u32 byte = 0; byte < 4; byte++) {
                struct sock_filter whole[SIZE + 16];
                memcpy(end, tail, sizeof tail);
                end[1].k = 8 * byte;
                whole[0] = (struct sock_filter)LOAD(nr);
                whole[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 987, 1, 0);
                whole[2] = allow;
                memcpy(whole + 3, code, (n + 5) * sizeof code[0]);
                CHECK_EQ(filter(whole, n + 8, 0), 0);
                CHECK_EQ(
                    syscall(987, d.args[0], d.args[1], d.args[2], d.args[3], d.args[4], d.args[5]),
                    -1);
                CHECK((errno & ~0xff) == 0x100);
                got |= (u32)(errno & 0xff) << 8 * byte;
            }
            CHECK_EQ(write(fds[1], &got, sizeof got), sizeof got);
            _exit(0);
        }
        int status;
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK_EQ(status, divides ? 0 : SIGSYS);
        if (divides)
            CHECK_EQ(read(fds[0], &got, sizeof got), sizeof got);
        if (divides)
            CHECK_EQ(got, expected);
        close(fds[0]);
        close(fds[1]);
    }
}

int main(void)
{
    checks();
    CHECK_EQ(status_of(sizes), 0);
    computed();
    return done();
}
