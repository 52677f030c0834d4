; A boot sector that loads what follows it by INT 13h AH=02h, from whatever drive it was booted, and then asks all
; it can of the drive and of ones that are not there. A line for each call: what it was called with, and what
; came of it.
;
; A debugger should see INT 13h lead into the BIOS's stub and back, the second stage at 0x7e00 before its first
; instruction runs, and what was written to the disk in what is read back.

	bits 16
	org 0x7c00

STAGE	equ 16			; sectors, of which 15 follow this one
BUFFER	equ 0xa000

	jmp 0:start
start:	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	cld
	mov [drive], dl
	mov ax, 0x0200 + STAGE - 1
	mov bx, 0x7e00
	mov cx, 2
	mov dh, 0
	int 0x13
	jnc stage
	mov si, failed
	call puts
	hlt

puts:	lodsb
	test al, al
	jz .end
	mov ah, 0x0e
	mov bx, 7
	int 0x10
	jmp puts
.end:	ret

hex4:	push ax
	mov al, ah
	call hex2
	pop ax
hex2:	push ax
	shr al, 4
	call hex1
	pop ax
hex1:	push ax
	push bx
	and al, 15
	cmp al, 10
	sbb al, 0x69
	das
	mov ah, 0x0e
	mov bx, 7
	int 0x10
	pop bx
	pop ax
	ret

failed:	db 'the second stage cannot be read', 10, 0
drive:	db 0

	times 510-($-$$) db 0
	db 0x55, 0xaa

; Prints the registers of the call that follows, makes it, and prints those after it.
stage:	mov si, banner
	call puts
	mov al, [drive]
	call hex2
	mov si, line
	call puts

	mov si, calls
.next:	lodsw				; AX; ffff ends the table
	cmp ax, 0xffff
	je .data
	mov [regs], ax
	lodsw
	mov [regs+2], ax		; BX
	lodsw
	mov [regs+4], ax		; CX
	lodsw				; DX, with ff for the drive that was booted
	cmp al, 0xff
	jne .there
	mov al, [drive]
.there:	mov [regs+6], ax
	push si
	call show
	mov si, arrow
	call puts
	mov ax, [regs]
	mov bx, [regs+2]
	mov cx, [regs+4]
	mov dx, [regs+6]
	mov si, packet
	mov di, 0
	stc
	int 0x13
	pushf
	mov [regs], ax
	mov [regs+2], bx
	mov [regs+4], cx
	mov [regs+6], dx
	push di
	call show
	pop di
	mov ax, es
	or ax, di
	jz .flags
	mov al, ' '
	call putc
	mov ax, es
	call hex4
	mov al, ':'
	call putc
	mov ax, di
	call hex4
	xor ax, ax
	mov es, ax
.flags:	mov si, cf
	call puts
	pop ax
	and al, 1
	call hex1
	mov si, line
	call puts
	pop si
	jmp .next

; What is read is what the disk has: sectors that begin with their numbers, from 16 on.
.data:	mov si, by_chs			; over the end of a track, into 64 KiB from 0x1fc00 on
	call puts
	mov ax, 0x1fc0
	mov es, ax
	mov ax, 0x0204
	xor bx, bx
	mov cx, 17
	mov dh, 0
	mov dl, [drive]
	int 0x13
	call words
	mov si, wrapped			; an offset that wraps
	call puts
	mov ax, 0x2000
	mov es, ax
	mov ax, 0x0204
	mov bx, 0xfc00
	mov cx, 17
	mov dh, 0
	mov dl, [drive]
	int 0x13
	mov ax, 0x2fc0
	mov es, ax
	call words
	mov si, by_lba
	call puts
	mov word [packet.count], 4
	mov word [packet.lba], 16
	mov word [packet.lba+2], 0
	mov word [packet.segment], 0x3000
	mov si, packet
	mov ah, 0x42
	mov dl, [drive]
	int 0x13
	mov ax, 0x3000
	mov es, ax
	call words

	mov si, written
	call puts
	mov ax, 0x5555
	mov di, 0x200
	mov cx, 256
	rep stosw
	mov ax, 0x0301
	mov bx, 0x200
	mov cx, 18
	mov dh, 0
	mov dl, [drive]
	int 0x13
	mov al, ah
	call hex2
	mov al, ' '
	call putc
	mov ax, 0x0204
	mov bx, 0
	mov cx, 17
	mov dh, 0
	int 0x13
	call words

	mov si, bda
	call puts
	mov ax, 0x40
	mov es, ax
	mov ax, [es:0x10]
	and ax, 0xc1
	call hex2
	mov al, ' '
	call putc
	mov al, [es:0x75]
	call hex2
	mov al, ' '
	call putc
	les bx, [0x1e*4]
	mov al, [es:bx+4]
	call hex2
	les bx, [0x41*4]
	mov al, ' '
	call putc
	mov al, [es:bx+14]
	call hex2
	mov si, line
	call puts
	cli
	hlt

; The first words of four sectors at ES:0.
words:	mov bx, 0
.next:	mov ax, [es:bx]
	call hex4
	mov al, ' '
	call putc
	add bx, 0x200
	cmp bx, 0x800
	jne .next
	mov si, line
	jmp puts

putc:	mov ah, 0x0e
	push bx
	mov bx, 7
	int 0x10
	pop bx
	ret

show:	mov si, names
	mov di, regs
.next:	call puts
	mov ax, [di]
	call hex4
	add di, 2
	cmp byte [si], 0
	jne .next
	ret

	align 2
calls:	dw 0x0000, 0, 0, 0x00ff		; reset
	dw 0x0100, 0, 0, 0x00ff
	dw 0x0800, 0, 0, 0x00ff		; parameters
	dw 0x1500, 0, 0, 0x00ff		; type
	dw 0x1600, 0, 0, 0x00ff
	dw 0x4100, 0x55aa, 0, 0x00ff
	dw 0x0401, 0, 1, 0x00ff		; verify
	dw 0x0401, 0, 0, 0x00ff		; no sector 0
	dw 0x0401, 0, 1, 0xf0ff		; no head 240
	dw 0x0100, 0, 0, 0x00ff		; what came of that
	dw 0x0201, BUFFER, 0xffff, 0x00ff
	dw 0x0200, BUFFER, 1, 0x00ff	; nothing to read
	dw 0x0201, BUFFER, 1, 0x0003	; no such diskette
	dw 0x0201, BUFFER, 1, 0x0085	; no such hard disk
	dw 0x0100, 0, 0, 0x0085
	dw 0x0800, 0, 0, 0x0003
	dw 0x0800, 0, 0, 0x0085
	dw 0x1500, 0, 0, 0x0085
	dw 0x4100, 0x55aa, 0, 0x0085
	dw 0x4200, 0, 0, 0x0085
	dw 0x4200, 0, 0, 0x00ff		; a sector that is far away
	dw 0x4b01, 0, 0, 0x00ff		; no CD
	dw 0x7700, 0, 0, 0x00ff		; there is no such function
	dw 0xffff

packet:	db 16, 0
.count:	dw 1
	dw 0
.segment: dw 0x1000
.lba:	dd 0x7fffffff, 0

banner:	db 'drive ', 0
line:	db 10, 0
arrow:	db ' ->', 0
cf:	db ' CF=', 0
by_chs:	db 'by cylinder, head and sector: ', 0
wrapped: db 'at an offset that wraps: ', 0
by_lba:	db 'by number: ', 0
written: db 'written: ', 0
bda:	db 'diskettes, hard disks, their tables: ', 0
names:	db ' AX=', 0, ' BX=', 0, ' CX=', 0, ' DX=', 0, 0
regs:	dw 0, 0, 0, 0

	times STAGE*512-($-$$) db 0
%assign n STAGE
%rep 8
	dw 0x1000 + n
	times 510 db n
%assign n n+1
%endrep
