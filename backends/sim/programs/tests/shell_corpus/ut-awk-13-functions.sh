awk 'function f(n) {return n <= 1 ? 1 : n * f(n - 1)} BEGIN {print f(10), f(1)}'
awk 'function fib(n) {return n < 2 ? n : fib(n - 1) + fib(n - 2)} BEGIN {print fib(15)}'
awk 'function set(a, k, v) {a[k] = v} BEGIN {set(x, "q", 5); print x["q"], length(x)}'
awk 'function s(v) {v = 9} BEGIN {v = 1; s(v); print v}'
awk 'function l(a, i, n) {n = 0; for (i in a) n++; i = "changed"; return n} BEGIN {i = "kept"; x[1]; x[2]; print l(x), i}'
awk 'function nothing() {} BEGIN {x = nothing(); print "[" x "]", x + 0, length(x)}'
awk 'function early(x) {if (x) return "yes"; print "falls"; return} BEGIN {print early(1); print early(0) "."}'
awk 'function a(x) {return b(x) + 1}
function b(x) {
  return x * 2
}
BEGIN {print a(3)}'
awk 'function fill(a, n) {if (n == 0) return; a[n] = n; fill(a, n - 1)} BEGIN {fill(z, 5); print length(z), z[3]}'
awk 'function deep(n) {return n == 0 ? 0 : 1 + deep(n - 1)} BEGIN {print deep(150)}'
awk 'function g(x, y, z) {return "<" x "," y "," z ">"} BEGIN {print g(1), g(1, 2), g(1, 2, 3)}'
awk 'function max(a, b) {return a > b ? a : b} BEGIN {print max(3, 7), max("abc", "abd"), max(10, 9)}'
echo 'a b c' | awk 'function last() {return $NF} {print last(); $0 = "x y"; print last()}'
awk 'function p(s) {printf "%s;", s; return s} BEGIN {x = p("a") p("b"); print x}'
awk 'function swap(a, i, j, t) {t = a[i]; a[i] = a[j]; a[j] = t}
function sort(a, n, i, j) {for (i = 2; i <= n; i++) for (j = i; j > 1 && a[j-1] > a[j]; j--) swap(a, j, j - 1)}
BEGIN {n = split("5 3 9 1 10 7", v); sort(v, n); for (i = 1; i <= n; i++) printf "%s ", v[i]; print ""}'
awk 'function f(x) {x[1] = 1; return g(x)} function g(y) {return y[1] + length(y)} BEGIN {print f(q), q[1]}'
