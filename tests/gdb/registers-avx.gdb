# guest: can-avx.bin
# options: --mode=32
# requires: register-ymm7h avx
#
# AVX registers as the guest uses them.

set trace-commands on
tbreak *0x101b
continue
p $xcr0
set $ymm1.v8_float = {1, 2, 3, 4, 5, 6, 7, 8}
set $ymm2.v8_float = {0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25}
stepi
p $ymm0.v8_float
p $ymm7.v8_int32
continue
