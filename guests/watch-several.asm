; Instructions that write several things at once, or read one and write another, in 16-bit code.
;
; A debugger that watches bytes at 0x5000, 0x5001 and 0x6000, the last two of which change, and reads of 0x5000, should be
; told of those that change.

	bits 16
	org 0x1000

	mov word [0x5000], 0x3300
	mov si, 0x5000
	mov di, 0x6000
	mov byte [si], 7
	movsb
	hlt
