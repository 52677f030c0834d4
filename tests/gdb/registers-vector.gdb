# guest: flat64.bin
# options: --mode=64
# requires: register-zmm31h
#
# AVX-512: parts of a register are the same memory, and the parts of others are left alone.

set trace-commands on
set $zmm0.v16_int32 = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
p $ymm0.v8_int32
p $xmm0.v4_int32
set $ymm0.v4_int64 = {-1, -2, -3, -4}
p $zmm0.v8_int64
set $zmm15.v8_int64 = {15, 1, 2, 3, 4, 5, 6, 7}
set $zmm16.v8_int64 = {16, 1, 2, 3, 4, 5, 6, 7}
set $zmm31.v8_int64 = {31, 1, 2, 3, 4, 5, 6, 7}
set $xmm30.uint128 = 30
set $ymm17.v4_int64 = {17, 18, 19, 20}
p $zmm15.v8_int64
p $zmm16.v8_int64
p $zmm17.v8_int64
p $zmm30.v8_int64
p $zmm31.v8_int64
p $zmm14.v8_int64
set $k0 = 0x1122334455667788
set $k7 = -1
p/x $k0
p/x $k1
p/x $k7
stepi
p $zmm0.v8_int64
p/x $k0
p $xcr0
