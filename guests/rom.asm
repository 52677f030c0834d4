; A ROM that writes to itself, at the end of 4 GiB and below 1 MiB: what is below is memory. A debugger should see it
; begin at 0xfffffff0, and 0x5a and 0xa5 in $al at the first two OUTs; at the third, what the CMOS memory says of how much
; memory there is above 16 MiB, in 16 MiB.
	bits 16
	org 0

	db 0x5a

start:	mov al, 0xa5
	mov [cs:0], al
	mov al, [cs:0]
	out 0xe4, al
	jmp 0xf000:below
below:	mov al, 0xa5
	mov [cs:0], al
	mov al, [cs:0]
	out 0xe6, al
	mov al, 0x35
	out 0x70, al
	in al, 0x71
	out 0xe4, al
	hlt

	times 0xfff0 - ($ - $$) db 0xff
	jmp start
	times 0x10000 - ($ - $$) db 0xff
