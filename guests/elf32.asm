; A 32-bit ELF file made by hand, for tests that change a byte of it: a segment of code at 0x100000, and one
; of data at 0x201000 that is longer than what the file has of it.
;
; A debugger should see 0x12345678, what it has of the data, then 0 and esp in the port, and the halt.

	bits 32
	org 0

	db 0x7f, "ELF", 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
	dw 2, 3		; ET_EXEC
	dd 1
	dd 0x100000		; e_entry
	dd headers, 0
	dd 0
	dw headers, 32, 2, 0, 0, 0

headers: dd 1, code, 0x100000, 0x100000, code_end - code, code_end - code, 5, 0x1000
	dd 1, data, 0x201000, 0x201000, 4, 8, 6, 0x1000

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
