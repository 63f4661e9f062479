# ASC_TRY_CFLAG(VARIABLE, FLAG): adds FLAG to VARIABLE if the compiler takes it.
AC_DEFUN([ASC_TRY_CFLAG], [
    asc_saved=$CFLAGS
    CFLAGS="$CFLAGS -Werror $2"
    AC_MSG_CHECKING([whether $CC takes $2])
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
        [AC_MSG_RESULT([yes]); CFLAGS=$asc_saved; $1="$$1 $2"],
        [AC_MSG_RESULT([no]); CFLAGS=$asc_saved])
])

# --enable-werror; WARN_CFLAGS holds the warnings, ASC_CFLAGS what the numbers
# need whatever CFLAGS the packager sets.
AC_DEFUN([ASC_ARG_WARNINGS], [
    AC_ARG_ENABLE([werror],
        [AS_HELP_STRING([--enable-werror], [make warnings errors])],
        [], [enable_werror=no])
    WARN_CFLAGS=
    for asc_flag in -Wall -Wextra -Wshadow -Wstrict-prototypes \
        -Wmissing-prototypes -Wpointer-arith -Wvla; do
        ASC_TRY_CFLAG([WARN_CFLAGS], [$asc_flag])
    done
    AS_IF([test "$enable_werror" = yes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
    AC_SUBST([WARN_CFLAGS])
    ASC_CFLAGS=-std=gnu11
    # A fused multiply-add where the compiler pleases would let the same source
    # give other bits in another function or version.
    ASC_TRY_CFLAG([ASC_CFLAGS], [-ffp-contract=off])
    # Code that runs often in blocks is laid out to be vectorised at -O2 too.
    ASC_TRY_CFLAG([ASC_CFLAGS], [-ftree-vectorize])
    AC_SUBST([ASC_CFLAGS])
])

# --enable-sanitizers: AddressSanitizer and UndefinedBehaviorSanitizer.
AC_DEFUN([ASC_ARG_SANITIZERS], [
    AC_ARG_ENABLE([sanitizers],
        [AS_HELP_STRING([--enable-sanitizers],
            [build with AddressSanitizer and UndefinedBehaviorSanitizer])],
        [], [enable_sanitizers=no])
    SAN_CFLAGS=
    AS_IF([test "$enable_sanitizers" = yes],
        [SAN_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g"])
    AC_SUBST([SAN_CFLAGS])
    AM_CONDITIONAL([SANITIZERS], [test "$enable_sanitizers" = yes])
])
