; What a CD boots, with or without emulation: it says from which drive it was booted and as what, reads the CD by
; block numbers, ends the emulation, and boots once more.
;
; A debugger should see it begin at 0000:7c00, or where the CD's catalog has it, twice.

	bits 16
	org 0x7c00

COUNT	equ 0x500		; of boots

	jmp 0:start
start:	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	cld
	mov [drive], dl
	mov si, drive_text
	call puts
	mov al, dl
	call hex2
	mov si, line
	call puts
	cmp byte [COUNT], 0
	je first
	cli
	hlt

first:	inc byte [COUNT]
	mov ax, 0x4b01
	call status
	mov si, block_text
	call puts
	mov si, packet
	mov dl, 0xe0
	mov ah, 0x42
	int 0x13
	call result
	mov si, 0x8001
	mov byte [si+5], 0
	call puts
	mov si, last_text
	call puts
	mov dword [packet.block], 0x100
	mov si, packet
	mov ah, 0x42
	int 0x13
	call result
	mov ax, [packet.count]
	call hex2
	mov si, size_text
	call puts
	mov si, parameters
	mov ah, 0x48
	int 0x13
	call result
	mov si, parameters
	mov cx, 26
	call bytes
	mov si, chs_text
	call puts
	mov ax, 0x0201
	mov bx, 0x8000
	mov cx, 1
	mov dh, 0
	int 0x13
	call result
	mov si, write_text
	call puts
	mov ax, 0x0301
	mov bx, 0x8000
	mov cx, 1
	mov dl, [drive]
	int 0x13
	call result
	call drives
	mov ax, 0x4b00
	call status
	call drives
	mov ax, 0x4b01
	call status
	int 0x19

	times 510-($-$$) db 0
	dw 0xaa55

; The emulation, by the function in AX.
status:	push ax
	mov si, emulation_text
	call puts
	pop ax
	mov dl, [drive]
	mov si, emulation
	int 0x13
	call result
	mov si, emulation
	mov cx, 19

bytes:	lodsb
	call hex2
	loop bytes
	mov si, line
	jmp puts

drives:	mov si, count_text
	call puts
	mov al, [0x410]
	and al, 0xc1
	call hex2
	mov al, ' '
	call putc
	mov al, [0x475]
	call hex2
	mov si, line
	jmp puts

; AH and CF, and a space.
result:	pushf
	mov al, ah
	call hex2
	pop ax
	and al, 1
	call hex1
	mov al, ' '

putc:	mov ah, 0x0e
	mov bx, 7
	int 0x10
	ret

puts:	lodsb
	test al, al
	jz .end
	call putc
	jmp puts
.end:	ret

hex2:	push ax
	shr al, 4
	call hex1
	pop ax
hex1:	and al, 15
	cmp al, 10
	sbb al, 0x69
	das
	jmp putc

drive:	db 0
drive_text: db 'drive ', 0
emulation_text: db 'emulation ', 0
block_text: db 'block 16: ', 0
last_text: db 10, 'a block that is not there: ', 0
size_text: db 10, 'parameters: ', 0
chs_text: db 'by cylinder, head and sector: ', 0
write_text: db 10, 'write: ', 0
count_text: db 10, 'diskettes, hard disks: ', 0
line:	db 10, 0

	align 2
packet:	db 16, 0
.count:	dw 1
	dw 0x8000, 0
.block:	dd 16, 0
parameters: dw 26
	times 24 db 0
emulation: times 19 db 0

	times 2048-($-$$) db 0
