; A kernel for Multiboot 1 that is no ELF file: its header says where it goes. A debugger should see it begin at
; 0x200030, with 0x2badb002 in $eax, and halt behind the OUT of the sum of two words that were zeros.
	bits 32
	org 0x200000

FLAGS equ 0x10000

	dd 0x12345678
header:	dd 0x1badb002, FLAGS, -(0x1badb002 + FLAGS)
	dd header, $$, end, end + 8, start

	align 16, db 0
start:	mov ecx, [end]
	add ecx, [end + 4]
	out 0x80, eax
	mov eax, ecx
	out 0x80, eax
	hlt
end:
	dd 1 ; is not to be loaded
