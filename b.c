// fake rewritten sites: jump to the door with rcx = return address
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <unistd.h>
#include <time.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <x86intrin.h>
static uint64_t door;
static inline long fast(long nr,long a,long b,long c,long d){
  register long r10 __asm__("r10")=d; register uint64_t r11 __asm__("r11")=door; long r=nr;
  __asm__ volatile("lea 1f(%%rip),%%rcx\n jmp *%%r11\n1:" : "+a"(r),"+r"(r11) : "D"(a),"S"(b),"d"(c),"r"(r10) : "rcx","memory","cc");
  return r;
}
static void h(int s){}
static double hz;
static double best(long (*f)(int),int n){ uint64_t m=~0ull; for(int i=0;i<200;i++){uint64_t t0=__rdtsc(); f(n); uint64_t t=__rdtsc()-t0; if(t<m)m=t;} return (double)m/n; }
static uint64_t set=1<<(SIGUSR1-1), old; static struct timespec ts; static struct {uint64_t h,f,r,m;} act, oact; static char un[400]; static int x3[3];static stack_t ss;
#define B(name,expr) static long name(int n){long r=0; while(n--) r=expr; return r;}
B(b_getpid,fast(39,0,0,0,0)) B(b_getuid,fast(102,0,0,0,0)) B(b_gettid,fast(186,0,0,0,0)) B(b_umask,fast(95,022,0,0,0)) B(b_enosys,fast(500,0,0,0,0))
B(b_resuid,fast(118,(long)x3,(long)(x3+1),(long)(x3+2),0))
B(b_uname,fast(63,(long)un,0,0,0)) B(b_alt,fast(131,0,(long)&ss,0,0))
B(b_actget,fast(13,SIGUSR1,0,(long)&oact,8)) B(b_actset,fast(13,SIGUSR1,(long)&act,0,8)) 
static long b_mask(int n){ long r=0; while(n--){ r|=fast(14,SIG_BLOCK,(long)&set,(long)&old,8); r|=fast(14,SIG_SETMASK,(long)&old,0,8);} return r; }
B(b_maskget,fast(14,0,0,(long)&old,8))
B(b_clock,fast(228,1,(long)&ts,0,0)) B(b_clockcoarse,fast(228,6,(long)&ts,0,0)) B(b_getppid,fast(110,0,0,0,0))
static long b_nat(int n){long r; while(n--) r=syscall(110); return r;}
int main(int c,char**v){
  if(c>1) door=strtoull(v[1],0,16);
  struct timespec a,b; clock_gettime(CLOCK_MONOTONIC,&a); uint64_t t0=__rdtsc(); usleep(50000); uint64_t t1=__rdtsc(); clock_gettime(CLOCK_MONOTONIC,&b);
  hz=(t1-t0)/((b.tv_sec-a.tv_sec)*1e9+b.tv_nsec-a.tv_nsec);
  signal(SIGUSR1,h); syscall(13,SIGUSR1,0,&act,8);
  printf("tsc %.2f GHz\n",hz);
#define R(f,n) do{double cy=best(f,n); printf("%-14s %7.1f tsc cycles %7.1f ns\n",#f,cy,cy/hz);}while(0)
  if(!door){R(b_nat,2000);return 0;}
  R(b_getpid,4000);R(b_gettid,4000);R(b_getuid,4000);R(b_umask,4000);R(b_enosys,4000);R(b_resuid,2000);R(b_uname,1000);R(b_alt,2000);R(b_actget,2000);R(b_actset,2000);R(b_maskget,2000);R(b_mask,1000);R(b_clock,1000);R(b_clockcoarse,1000);R(b_getppid,1000);
}
