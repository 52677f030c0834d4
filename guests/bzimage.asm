; A kernel in Linux's format, of protocol 2.12, that prints what it is told: from its 16-bit entry the command line and
; the beginning of the initial RAM disk, from its 32-bit and 64-bit entries the selectors, the map of memory and the
; screen, too. VERSION, LOAD_FLAGS and XLOAD_FLAGS make others of it.

%ifndef VERSION
%define VERSION 0x20c
%endif
%ifndef LOAD_FLAGS
%define LOAD_FLAGS 1
%endif
%ifndef XLOAD_FLAGS
%define XLOAD_FLAGS 1
%endif

TEXT equ 0xe9
NUMBER equ 0xe00 ; a port for each

%macro SAY 1
	out dx, %1
	add dx, 4
%endmacro

	bits 16
	org 0

	times 0x1f1 db 0
	db 1 ; sector of setup code
	dw 0
	dd 0x80
	dw 0, 0, 0
	dw 0xaa55
	jmp short setup
	db "HdrS"
	dw VERSION
	dd 0
	dw 0, 0
	db 0 ; the loader
	db LOAD_FLAGS
	dw 0
	dd 0x100000
ramdisk:
	dd 0, 0, 0
heap:	dw 0
	db 0, 0
command_line:
	dd 0
	dd 0x37ffffff
	dd 0x200000
	db 1, 21
	dw XLOAD_FLAGS
	dd 100
	dd 0
	dq 0
	dd 0, 0
	dq 0
	dq 0x1000000 ; where it would like to be
	dd 0x100000
	dd 0

setup:	mov al, "S"
	out TEXT, al
	mov ax, cs
	mov dx, NUMBER
	SAY ax
	mov ax, ss
	SAY ax
	mov ax, sp
	SAY ax
	mov ax, [heap]
	SAY ax
	mov al, [0x210]
	SAY al
	mov al, [0x211]
	SAY al
%if VERSION < 0x202
	mov ax, [0x20]
	SAY ax
	mov si, [0x22]
%else
	mov eax, [command_line]
	sub eax, 0x90000
	mov si, ax
%endif
.next:	lodsb
	test al, al
	jz .rest
	out TEXT, al
	jmp .next
.rest:
	mov eax, [ramdisk]
	SAY eax
	mov eax, [ramdisk + 4]
	SAY eax
%if LOAD_FLAGS
	mov ax, 0xffff ; of the part at 1 MiB the first byte
	mov es, ax
	mov al, [es:0x10]
%else
	mov ax, 0x1000
	mov es, ax
	mov al, [es:0]
%endif
	SAY al
	hlt

	times 0x400 - ($ - $$) db 0

; What both print, in the mode of either.
%macro PRINT 1 ; the zero page's register
	mov dx, NUMBER
	mov eax, cs
	SAY ax
	mov eax, ds
	SAY ax
	mov eax, ss
	SAY ax
	mov al, [%1 + 0x210]
	SAY al
	mov eax, [%1 + 0x214]
	SAY eax
	mov al, [%1 + 0x1e8]
	SAY al
	mov eax, [%1 + 0x2d0 + 3 * 20] ; the memory above 1 MiB
	SAY eax
	mov eax, [%1 + 0x2d0 + 3 * 20 + 8]
	SAY eax
	mov al, [%1 + 7]
	SAY al
	mov eax, [%1 + 0x218]
	SAY eax
	mov eax, [%1 + 0x21c]
	SAY eax
	mov ecx, [%1 + 0x218]
	test ecx, ecx
	jz %%text
	mov al, [ecx]
	out TEXT, al
%%text:	mov eax, [%1 + 0x228]
	mov ecx, eax
%%next:	mov al, [ecx]
	test al, al
	jz %%end
	out TEXT, al
	inc ecx
	jmp %%next
%%end:	hlt
%endmacro

	bits 32
start32:
	nop
	mov al, "P"
	out TEXT, al
	PRINT esi

	times 0x600 - ($ - $$) db 0

	bits 64
start64:
	mov al, "L"
	out TEXT, al
	PRINT rsi
	align 16, db 0
end:
