# guest: many.bin
# requires: python
#
# 40 breakpoints at once, of all kinds: each is hit when it is its turn and seen by nobody who looks
# at memory.

# Breakpoints 1 to 40; the first is where the guest is and not hit now.
set $i = 0
while $i < 36
  if $i % 8 == 3
    tbreak *(0x1000 + 2 * $i)
  else
    if $i % 8 == 5
      hbreak *(0x1000 + 2 * $i)
    else
      break *(0x1000 + 2 * $i)
    end
  end
  set $i = $i + 1
end
break *0x104b
break *0x104d
hbreak *0x104f
break *0x1050

set $i = 0
while $i < 10
  continue
  set $i = $i + 1
end
set trace-commands on
p $ax
x/80xb 0x1000
x/3i $pc
try find /b 0x1000, +0x50, (char)0xcc
try find /b 0x1000, +0x50, (char)0xf1
set var *(unsigned char *)0x1020 = 0x90
x/2i 0x1020
set trace-commands off
set $i = 0
while $i < 25
  continue
  set $i = $i + 1
end
set trace-commands on
p $ax
continue
p $bx
x/4xb 0x1020
continue
continue
continue
continue
p $bx
info breakpoints
delete 5-11 13-19
set $ax = 0
jump *0x1000
p $ax
continue
continue
continue
p $ax
delete
x/2i 0x1020
continue
