; A 64-bit ELF file made by hand, for tests that change a byte of it: a segment of code at 0x100000, and one
; of data at 0x201000 that is longer than what the file has of it.
;
; A debugger should see 0x12345678, what it has of the data, then 0 and rsp in the port, and the halt.

	bits 64
	org 0

	db 0x7f, "ELF", 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
	dw 2, 62		; ET_EXEC
	dd 1
	dq 0x100000		; e_entry
	dq headers, 0
	dd 0
	dw headers, 56, 2, 0, 0, 0

headers: dd 1, 5
	dq code, 0x100000, 0x100000, code_end - code, code_end - code, 0x1000
	dd 1, 6
	dq data, 0x201000, 0x201000, 4, 8, 0x1000

code:	mov dx, 0xeff
	mov eax, [0x201000]
	out dx, eax
	mov eax, [0x201004]
	out dx, eax
	mov eax, esp
	out dx, eax
	hlt
code_end:

	; What is behind the file's 4 bytes must not be loaded.
data:	dd 0x12345678, 0x87654321
